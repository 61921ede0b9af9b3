/**
 * `boot`: makes a machine and hands out the handle by which a host program drives it.
 */
import { platform } from '#platform';
import { formatMachine } from '../../kernel/index.ts';
import { checkInteger } from '../../shared/addr/addr.ts';
import { PAGEMAP_PAGES_MAX, PAGE_SIZE, USER_PAGES } from '../../shared/limits.ts';
import type { WireStatus } from '../../shared/wire.ts';
import type {
  AuditReport,
  BootOptions,
  ExitStatus,
  FileSource,
  MachineHandle,
  MachineReport,
  ProcessHandle,
  SpawnOptions,
} from '../api/machine-api.ts';
import { checkOptions, cpuBlocks, wireFile } from './boot-options.ts';
import { MachineStopped, SyscallError } from '../wire/errors.ts';
import { loadProtocol } from './load-protocol.ts';
import { spawnRequest } from './spawn-request.ts';
import { WorkerHost } from './worker-host.ts';

/** How long `shutdown` waits for an orderly end before it terminates everything. */
const SHUTDOWN_MS = 5000;

/**
 * Formats a machine and starts its Workers. Resolves when all CPUs run.
 * Throws RangeError or TypeError for a bad option, SyscallError for a file that cannot be opened.
 */
export async function boot(options: BootOptions = {}): Promise<MachineHandle> {
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new Error(
      'boot: SharedArrayBuffer is missing: serve the page and its Workers with the headers ' +
        'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
    );
  }
  const { frames, swapSlots, injections, checked, shootdown, onPrint, onOutput, ...machine } =
    checkOptions(options);
  const protocol = await loadProtocol(machine.protocol);
  const buffer = format({
    frames,
    cpus: cpuBlocks(machine.cpus),
    checked,
    protocol,
    flushPolicy: shootdown,
    swapSlots,
    injections,
    seed: machine.seed,
  });
  const host = new WorkerHost({ ...machine, buffer }, { onPrint, onOutput });
  try {
    await host.kernel.remote.ready();
  } catch (error) {
    await host.stop(new MachineStopped('the machine did not start'));
    throw error;
  }
  return new Machine(buffer, host);
}

/** Formats a machine. Throws RangeError when the host has no memory for it. */
function format(spec: Parameters<typeof formatMachine>[0]): SharedArrayBuffer {
  try {
    return formatMachine(spec).buffer;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const mib = (spec.frames * PAGE_SIZE) / 2 ** 20;
    throw new RangeError(
      `boot: the host cannot allocate a machine of ${mib} MiB (${error.message}): ` +
        'give it less memory, or raise the limit (ulimit -v)',
      { cause: error },
    );
  }
}

class Machine implements MachineHandle {
  readonly buffer: SharedArrayBuffer;
  readonly #host: WorkerHost;

  constructor(buffer: SharedArrayBuffer, host: WorkerHost) {
    this.buffer = buffer;
    this.#host = host;
  }

  async spawn(module: URL | string, options: SpawnOptions = {}): Promise<ProcessHandle> {
    const request = spawnRequest(platform.resolveModule(String(module)), options);
    const pid = checkResult('spawn', await this.#kernel.spawn(request));
    return new Process(pid, this.#host);
  }

  async addFile(name: string, source: FileSource): Promise<void> {
    await this.#kernel.addFile(name, wireFile(name, source));
  }

  async maps(pid: number): Promise<string> {
    return checkText('maps', await this.#kernel.procFile(pid, 'maps'));
  }

  async smaps(pid: number): Promise<string> {
    return checkText('smaps', await this.#kernel.procFile(pid, 'smaps'));
  }

  async status(pid: number): Promise<string> {
    return checkText('status', await this.#kernel.procFile(pid, 'status'));
  }

  async statm(pid: number): Promise<string> {
    return checkText('statm', await this.#kernel.procFile(pid, 'statm'));
  }

  async pagemap(pid: number, address: number, pages: number): Promise<BigUint64Array> {
    const first = address / PAGE_SIZE;
    checkInteger('the page of an address', first, 0, USER_PAGES - 1);
    checkInteger('a number of pages', pages, 0, Math.min(PAGEMAP_PAGES_MAX, USER_PAGES - first));
    const entries = await this.#kernel.pagemap(pid, first, pages);
    if (typeof entries === 'number') throw new SyscallError('pagemap', -entries);
    return entries;
  }

  stats(): Promise<MachineReport> {
    return this.#kernel.stats();
  }

  dmesg(): Promise<string[]> {
    return this.#kernel.dmesg();
  }

  audit(): Promise<AuditReport> {
    return this.#kernel.audit();
  }

  async shutdown(): Promise<void> {
    const timeout = setTimeout(() => void this.#host.stop(shutDown()), SHUTDOWN_MS);
    try {
      await this.#kernel.shutdown();
    } catch {
      // Stopped already, by an earlier shutdown, a panic or the timeout: nothing is left to do.
    } finally {
      clearTimeout(timeout);
    }
    await this.#host.stop(shutDown());
  }

  get #kernel(): WorkerHost['kernel']['remote'] {
    return this.#host.kernel.remote;
  }
}

class Process implements ProcessHandle {
  readonly pid: number;
  readonly #host: WorkerHost;
  readonly #status: Promise<WireStatus>;

  constructor(pid: number, host: WorkerHost) {
    this.pid = pid;
    this.#host = host;
    // Asked for now, so that the kernel worker need not remember it for ever.
    this.#status = host.kernel.remote.status(pid);
    this.#status.catch(() => {});
  }

  wait(): Promise<ExitStatus> {
    return this.#status;
  }

  async kill(signal = 'SIGKILL'): Promise<void> {
    checkResult('kill', await this.#host.kernel.remote.kill(this.pid, signal));
  }
}

function shutDown(): MachineStopped {
  return new MachineStopped('the machine has been shut down');
}

function checkResult(syscall: string, result: number): number {
  if (result < 0) throw new SyscallError(syscall, -result);
  return result;
}

function checkText(what: string, result: string | number): string {
  if (typeof result === 'number') throw new SyscallError(what, -result);
  return result;
}
