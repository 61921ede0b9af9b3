/** What `boot()` takes: the machine's size and ways, and the files handed in. Types only. */
import type { CapabilityName } from '../../shared/abi/capabilities.ts';
import type { LockingProtocolName } from '../../kernel/locking/protocols.ts';
import type { InjectKind } from '../../kernel/machine/inject.ts';
import type { ReclaimPolicyName } from '../../kernel/reclaim/policies.ts';
import type { FlushPolicy } from '../../kernel/machine/flush-policies.ts';
import type { FaultMode } from './report-api.ts';

/** A host file that programs may write, if `writable` says so. Not in a browser: EROFS. */
export interface HostFileSource {
  /** Path on the host. */
  readonly path: string;
  /**
   * What programs write reaches the host's file with msync(MS_SYNC), when a descriptor is closed or
   * a mapping goes by `proc` or `proc.sync`, when the program ends, and about once a second. Errors
   * are printed, and told to msync as EIO.
   */
  readonly writable: boolean;
}

/**
 * A file handed to the machine: a host path (Node) for reading, a path that may be written, or
 * bytes (anywhere).
 */
export type FileSource = string | HostFileSource | Uint8Array | Blob;

/** What a machine is to be, for boot(). TypeError or RangeError for what it cannot be. */
export interface BootOptions {
  /** Simulated memory: bytes, or '64MiB', '1GiB'. 1 MiB to 4 GiB. Default '64MiB'. */
  readonly memory?: number | string;
  /** CPU workers in the pool, 1 to 32. Default 2. */
  readonly cpus?: number;
  /** A built-in protocol's name, or the URL of a module whose default export is a protocol. */
  readonly protocol?: LockingProtocolName | (string & {}) | URL;
  /** Who resolves faults: 'local', the CPU itself (default), or 'remote', the kernel worker. */
  readonly faults?: FaultMode;
  /** How stale translations are flushed: 'sync', 'batched' (default) or 'lazy'. */
  readonly shootdown?: FlushPolicy;
  /** Swap store, up to 16 GiB: a temporary file, in a browser memory. Default 0: no swap. */
  readonly swap?: number | string;
  /** Which pages go first: 'clock' (default), 'fifo', 'random', or a policy module's URL. */
  readonly reclaim?: ReclaimPolicyName | (string & {}) | URL;
  /**
   * Operations that fail on purpose, by kind: 'frame' and 'table' allocations, 'read's of files,
   * calls of 'backend' modules, 'swap' writes, 'worker' (every 10 ms: kills a Worker of the
   * pool that runs no program the host started). A number n fails the n-th one; '2%' fails a share
   * of all, chosen by the seed.
   */
  readonly inject?: Readonly<Partial<Record<InjectKind, number | string>>>;
  /**
   * Free memory that the kernel worker zeroes ahead, so that faults need not: bytes, or '16MiB'.
   * Default 0.
   */
  readonly prezero?: number | string;
  /**
   * What the host's processes may do beyond an ordinary user: lock more than RLIMIT_MEMLOCK (8 MiB;
   * CAP_IPC_LOCK), raise hard limits (CAP_SYS_RESOURCE), lower nice values (CAP_SYS_NICE). Children
   * inherit them. Default: all, as root has; `[]` for none.
   */
  readonly capabilities?: readonly CapabilityName[];
  /** Poison freed frames and check more invariants. Default false. */
  readonly checked?: boolean;
  /**
   * true: page faults run compiled to WebAssembly, where the host allows it; `stats().kernel` says
   * whether they do. Default false; on Node true if FAULTLINE_KERNEL=wasm is in the environment.
   */
  readonly compiled?: boolean;
  /** Seed that programs read as `proc.seed`. Default 1. */
  readonly seed?: number;
  /** Files that programs may `open` by name. */
  readonly files?: Readonly<Record<string, FileSource>>;
  /** Device modules, run in the kernel worker; opened as `/dev/NAME`. */
  readonly devices?: Readonly<Record<string, URL | string>>;
  /** Modules in the kernel worker (Backend, MappingBackendModule), opened as `/backend/NAME`. */
  readonly backends?: Readonly<Record<string, URL | string>>;
  /** Physically contiguous regions, opened as `/dev/NAME` and mapped linearly: name to size. */
  readonly linear?: Readonly<Record<string, number | string>>;
  /** Receives each line that a program prints. Default: the host's console. */
  readonly onPrint?: (line: string, pid: number) => void;
  /**
   * Receives what programs write to descriptors 1 and 2; the program waits for the promise.
   * Default: the host's standard output and error, in a browser its console.
   */
  readonly onOutput?: (bytes: Uint8Array, fd: number, pid: number) => void | Promise<void>;
  /** Gives the start up: `boot` rejects with the signal's reason, and no Worker is left. */
  readonly signal?: AbortSignal;
}
