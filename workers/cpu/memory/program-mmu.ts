/**
 * The user side of the MMU: one process's loads and stores through the CPU's TLB.
 *
 * A hit (tlb-access.ts) is three checks: the entry is the address's, no shootdown is pending for
 * the space (one plain load of its generation), and the poll is not due. Everything else, including
 * every kind of bad address, goes through `translate`. The gate of a process that is not live is
 * shut, so that its first access comes here.
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
  acknowledge,
  handleFault,
  logEvent,
  hasSignal,
  publishTlbCounters,
  releaseFaultObject,
  stopRequested,
  sweepTlb,
  walk,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { load, peek } from '../../../shared/atomics.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import * as SPACE from '../../../shared/layout/space.ts';
import {
  FAULT_RETRIES_MAX,
  PAGE_SIZE,
  POLL_ACCESSES,
  USER_SPACE_END,
} from '../../../shared/limits.ts';
import { panic } from '../../../shared/panic.ts';
import { SIGKILL } from '../../../shared/abi/signals.ts';
import type { FaultHandler, FaultInfo, FaultMode } from '../../api/machine-api.ts';
import { MemoryFault } from '../../wire/errors.ts';
import { AccessGate } from './access-gate.ts';
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
  #gate = new AccessGate();
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
    this.space = peek(cpu.words, proc + PROCESS.SPACE);
    this.words = cpu.words;
    this.bytes = cpu.machine.frameBytes;
    this.frameBase = cpu.machine.frameBase;
    this.generationAt = this.space + SPACE.TLB_GEN;
    this.frameAt = cpu.tlb.frameAt;
    this.#proc = proc;
    this.#mode = mode;
    this.#host = host;
  }

  /** The gate of the accesses that this MMU is for. */
  attach(gate: AccessGate): void {
    this.#gate = gate;
  }

  goLive(): void {
    this.#gate.open(this.generationAt, this.cpu.tlb.generation);
  }

  goDark(): void {
    this.#gate.shut();
    this.#countHits();
    publishTlbCounters(this.cpu, this.#proc, this.#hits, this.#misses);
  }

  /** Counts the accesses since the last ordered poll, and starts anew. The live process only. */
  #countHits(): void {
    const { polls } = this.cpu.tlb;
    const left = polls[0] as number;
    // The access that used up the rest has not been done: it counts when it goes on.
    this.#hits += POLL_ACCESSES - (left > 0 ? left : 1);
    polls[0] = POLL_ACCESSES;
  }

  /** The process has ended. */
  close(): void {
    this.#mode.forget(this);
  }

  /**
   * Makes the page of `address` accessible, or throws. True: the TLB has it, and the next access
   * may use it without another poll. False: the page is a device's.
   *
   * Everything rare is in this one function, so that it has more than 460 bytes of bytecode: V8
   * would otherwise inline it into a program's loops and, because of its size, not the hit.
   */
  translate(address: number, write: boolean): boolean {
    if (!Number.isInteger(address)) throw badAddress(address);
    const { cpu } = this;
    const { tlb } = cpu;
    const outside = address < 0 || address >= USER_SPACE_END;
    const vpn = Math.floor(address / PAGE_SIZE);
    const bases = write ? tlb.writeBase : tlb.readBase;
    let outcome = FAULT_DONE;
    for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
      // A process that has ended is not live either.
      if (!this.#mode.isLive(this)) {
        this.#host.check();
        this.#mode.enter(this);
      }
      this.#countHits();
      sweepTlb(cpu, tlb);
      // ORDER: an ordered load, so that a plain poll that an engine keeps in a register is
      // corrected.
      if (load(this.words, this.generationAt) !== this.#gate.generation) {
        acknowledge(cpu, tlb);
        this.goLive();
        // An auditor stops the machine: this CPU parks as it passes through the kernel.
        if (stopRequested(cpu)) this.#mode.passKernel();
      }
      // Not only with a new generation: a kernel entry may have taken over the killer's already.
      if (hasSignal(cpu, this.#proc)) {
        this.#host.check();
        continue;
      }
      if (outside) {
        outcome = FAULT_MAPERR;
      } else {
        // There already: the access missed only because a poll was due.
        if (bases[vpn & (bases.length - 1)] === vpn * PAGE_SIZE) {
          this.#hits++;
          return true;
        }
        if (attempt === 0) this.#misses++;
        if (walk(cpu, tlb, vpn, write)) return true;
        this.#mode.enterKernel();
        outcome = this.#fault(vpn, address, write);
        this.#mode.leaveKernel();
        // Without another poll: the way out of the kernel has just looked for shootdowns.
        if (outcome === FAULT_DONE && walk(cpu, tlb, vpn, write)) return true;
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

  /** In kernel mode. What cannot be resolved on this CPU goes to the kernel worker. */
  #fault(vpn: number, address: number, write: boolean): number {
    if (this.#host.faults === 'remote') return this.#host.trapFault(address, write);
    const outcome = handleFault(this.cpu, this.space, vpn, write);
    if (outcome === FAULT_DONE) return outcome;
    // Out of frames: the kernel worker can reclaim some.
    if (outcome === FAULT_NO_MEMORY) return this.#host.trapFault(address, write);
    if (outcome !== FAULT_WAIT && outcome !== FAULT_DEVICE) return outcome;
    releaseFaultObject(this.cpu, this.cpu.faultObject);
    return outcome === FAULT_DEVICE ? outcome : this.#host.trapFault(address, write);
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
    const pid = peek(this.words, this.#proc + PROCESS.PID);
    const vpn = Math.floor(address / PAGE_SIZE);
    this.#mode.inKernel(() => logEvent(this.cpu, LOG_OUT_OF_MEMORY, pid, vpn, 0));
    return this.#host.die(SIGKILL, 'out of memory');
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
