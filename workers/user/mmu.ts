/**
 * The user side of the MMU: one process's loads and stores through the CPU's TLB.
 *
 * A hit is three checks in one expression: `address - base` is an aligned offset into the page
 * (which a fraction, a NaN, a negative or a foreign address never is), no shootdown is pending for
 * the space (one plain load of its generation), and the poll is not due. Everything else, including
 * every kind of bad address, goes through `translate`.
 *
 * Guarantees: an access uses a translation only between two polls, and a shootdown's initiator
 * waits for the second. The plain poll may read an old value; that delays the acknowledgement, not
 * the protection. Every POLL_ACCESSES accesses an ordered load makes sure that it is read.
 */
import {
  FAULT_ACCERR,
  FAULT_BUS,
  FAULT_DEVICE,
  FAULT_DONE,
  FAULT_MAPERR,
  FAULT_NO_MEMORY,
  FAULT_WAIT,
  LOG_OUT_OF_MEMORY,
  TLB_SLOTS,
  acknowledge,
  handleFault,
  hasSignal,
  logEvent,
  publishTlbCounters,
  releaseFaultObject,
  stopRequested,
  sweepTlb,
  walk,
} from '../../kernel/index.ts';
import type { Cpu } from '../../kernel/index.ts';
import { load, peek } from '../../shared/atomics.ts';
import { P_PID, P_SPACE, S_TLB_GEN } from '../../shared/layout.ts';
import {
  FAULT_RETRIES_MAX,
  PAGE_SIZE,
  POLL_ACCESSES,
  USER_SPACE_END,
} from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { SIGKILL } from '../../shared/signals.ts';
import type { FaultHandler, FaultInfo, FaultMode } from '../api.ts';
import { MemoryFault } from '../wire/errors.ts';
import type { UserContext, UserMode } from './user-mode.ts';

/** What a process's MMU asks of its surroundings. The first three block, in kernel mode. */
export interface MmuHost {
  readonly faults: FaultMode;
  /** Has the kernel worker resolve a fault; a FAULT_* code. */
  trapFault(address: number, write: boolean): number;
  /** The register's value (unsigned), or a negative errno. */
  deviceLoad(address: number, width: number): number;
  /** 0 or a negative errno. */
  deviceStore(address: number, width: number, value: number): number;
  /** The program's handler for 'SIGSEGV' or 'SIGBUS', or null. */
  handler(signal: FaultInfo['signal']): FaultHandler | null;
  /** Handles signals; throws when the process has ended. */
  check(): void;
  /** Ends the process: no frame is left. Throws. */
  die(signal: number, reason: string): never;
}

/** An empty TLB: what a process sees that is not live. */
const DARK: Float64Array = new Float64Array(TLB_SLOTS).fill(NaN);

export class Mmu implements UserContext {
  readonly cpu: Cpu;
  readonly space: number;
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** First word of frame 0: a frame's byte index is four times its distance from here. */
  readonly frameBase: number;
  /** Word that every access polls. */
  readonly generationAt: number;
  readonly frameAt: Int32Array;
  readBase: Float64Array = DARK;
  writeBase: Float64Array = DARK;
  /** Generation that the TLB has applied; any other sends an access to `translate`. */
  generation = 0;
  /** Accesses left until the next ordered poll. */
  budget: number = POLL_ACCESSES;
  readonly #proc: number;
  readonly #mode: UserMode;
  readonly #host: MmuHost;
  #hits = 0;
  #misses = 0;
  #handling = false;

  /** `proc` is the process's block. */
  constructor(mode: UserMode, proc: number, host: MmuHost) {
    const { cpu } = mode;
    this.cpu = cpu;
    this.space = peek(cpu.words, proc + P_SPACE);
    this.words = cpu.words;
    this.bytes = cpu.machine.frameBytes;
    this.frameBase = cpu.machine.frameBase;
    this.generationAt = this.space + S_TLB_GEN;
    this.frameAt = cpu.tlb.frameAt;
    this.#proc = proc;
    this.#mode = mode;
    this.#host = host;
  }

  goLive(): void {
    this.readBase = this.cpu.tlb.readBase;
    this.writeBase = this.cpu.tlb.writeBase;
    this.generation = this.cpu.tlb.generation;
  }

  goDark(): void {
    this.readBase = DARK;
    this.writeBase = DARK;
    this.#publish();
  }

  /** The process has ended. */
  close(): void {
    this.#mode.forget(this);
  }

  /**
   * Makes the page of `address` accessible, or throws. True: the TLB has it, and the next access
   * may use it without another poll. False: the page is a device's.
   */
  translate(address: number, write: boolean): boolean {
    if (!Number.isInteger(address)) throw badAddress(address);
    const outside = address < 0 || address >= USER_SPACE_END;
    const vpn = Math.floor(address / PAGE_SIZE);
    let outcome = FAULT_DONE;
    for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
      this.#host.check();
      this.#mode.enter(this);
      if (!this.#poll()) continue;
      if (outside) {
        outcome = FAULT_MAPERR;
      } else {
        if (this.#holds(vpn, write)) {
          this.#hits++;
          return true;
        }
        if (attempt === 0) this.#misses++;
        if (walk(this.cpu, this.cpu.tlb, vpn, write)) return true;
        outcome = this.#fault(vpn, address, write);
      }
      if (outcome === FAULT_DEVICE) return false;
      if (outcome !== FAULT_DONE) this.#refuse(address, write, outcome);
    }
    // A handler that repairs nothing would loop for ever under Linux; here its fault comes out.
    if (outcome !== FAULT_DONE) throw new MemoryFault(faultInfo(address, write, outcome));
    return panic('translate: livelock', address, this.space);
  }

  deviceLoad(address: number, width: number): number {
    const value = this.#mode.inKernel(() => this.#host.deviceLoad(address, width));
    if (value < 0) this.#refuse(address, false, FAULT_BUS);
    return value < 0 ? this.deviceLoad(address, width) : value;
  }

  deviceStore(address: number, width: number, value: number): void {
    const outcome = this.#mode.inKernel(() => this.#host.deviceStore(address, width, value));
    if (outcome < 0) this.#refuse(address, true, FAULT_BUS);
    if (outcome < 0) this.deviceStore(address, width, value);
  }

  /** The TLB has a usable translation: the access missed only because a poll was due. */
  #holds(vpn: number, write: boolean): boolean {
    const bases = write ? this.writeBase : this.readBase;
    return bases[vpn & (bases.length - 1)] === vpn * PAGE_SIZE;
  }

  /** Looks for shootdowns and signals, in order. False: a signal, which `check` handles. */
  #poll(): boolean {
    this.#hits += POLL_ACCESSES - this.budget;
    this.budget = POLL_ACCESSES;
    sweepTlb(this.cpu, this.cpu.tlb);
    // ORDER: an ordered load, so that a plain poll that an engine keeps in a register is corrected.
    if (load(this.words, this.generationAt) !== this.generation) {
      acknowledge(this.cpu, this.cpu.tlb);
      this.generation = this.cpu.tlb.generation;
      // An auditor stops the machine: this CPU parks as it passes through the kernel.
      if (stopRequested(this.cpu)) this.#mode.inKernel(() => undefined);
    }
    // Not only with a new generation: a kernel entry may have taken over the killer's already.
    return !hasSignal(this.cpu, this.#proc);
  }

  #fault(vpn: number, address: number, write: boolean): number {
    return this.#mode.inKernel(() => {
      if (this.#host.faults === 'remote') return this.#host.trapFault(address, write);
      const outcome = handleFault(this.cpu, this.space, vpn, write);
      // Out of frames: the kernel worker can reclaim some.
      if (outcome === FAULT_NO_MEMORY) return this.#host.trapFault(address, write);
      if (outcome !== FAULT_WAIT && outcome !== FAULT_DEVICE) return outcome;
      releaseFaultObject(this.cpu, this.cpu.faultObject);
      return outcome === FAULT_DEVICE ? outcome : this.#host.trapFault(address, write);
    });
  }

  /** Calls the program's handler, after which the access is tried again; throws without one. */
  #refuse(address: number, write: boolean, outcome: number): void {
    if (outcome === FAULT_NO_MEMORY) this.#outOfMemory(address);
    const info = faultInfo(address, write, outcome);
    const handler = this.#handling ? null : this.#host.handler(info.signal);
    // As in Linux, the signal is blocked while its handler runs: a fault in it is the end.
    if (handler === null) throw new MemoryFault(info);
    this.#handling = true;
    try {
      handler(info);
    } finally {
      this.#handling = false;
    }
  }

  #outOfMemory(address: number): never {
    const pid = peek(this.words, this.#proc + P_PID);
    const vpn = Math.floor(address / PAGE_SIZE);
    this.#mode.inKernel(() => logEvent(this.cpu, LOG_OUT_OF_MEMORY, pid, vpn, 0));
    return this.#host.die(SIGKILL, 'out of memory');
  }

  #publish(): void {
    this.#hits += POLL_ACCESSES - this.budget;
    this.budget = POLL_ACCESSES;
    publishTlbCounters(this.cpu, this.#proc, this.#hits, this.#misses);
  }
}

function faultInfo(address: number, write: boolean, outcome: number): FaultInfo {
  return {
    signal: outcome === FAULT_BUS ? 'SIGBUS' : 'SIGSEGV',
    code: faultCode(outcome),
    address,
    access: write ? 'write' : 'read',
  };
}

function faultCode(outcome: number): FaultInfo['code'] {
  if (outcome === FAULT_BUS) return 'BUS_ADRERR';
  return outcome === FAULT_ACCERR ? 'SEGV_ACCERR' : 'SEGV_MAPERR';
}

function badAddress(address: unknown): Error {
  if (typeof address !== 'number') {
    return new TypeError(`an address must be a number, got ${typeof address}`);
  }
  return new RangeError(`an address must be an integer, got ${address}`);
}
