/**
 * One process's MMU on its CPU worker: what the access path (kernel/mmu/access.ts) needs from the
 * Worker, and what a program sees of a refused access: its handler runs, or MemoryFault is thrown.
 */
import {
  FAULT_ACCERR,
  FAULT_BUS,
  FAULT_DEVICE,
  FAULT_DONE,
  FAULT_NO_MEMORY,
  LOG_OUT_OF_MEMORY,
  contextOf,
  forgetContext,
  logEvent,
  translate,
} from '../../../kernel/index.ts';
import type { AccessGate, AccessHost, Cpu, UserContext } from '../../../kernel/index.ts';
import { peek } from '../../../shared/atomics.ts';
import { SIGKILL } from '../../../shared/abi/signals.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { OUT_OF_MEMORY } from '../../../shared/wire.ts';
import type { FaultHandler, FaultInfo, FaultMode } from '../../api/machine-api.ts';
import { MemoryFault } from '../../wire/errors.ts';
import { reserveStack } from './stack-reserve.ts';
import type { ThreadMode } from './thread-mode.ts';

/** What a process's MMU needs from its CPU worker. The first three block, in kernel mode. */
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
  /** Whether the JavaScript heap suffices for another entry of the kernel. */
  hasHeap(): boolean;
  /** Handles signals; throws when the process has ended, or must: its heap is used up. */
  check(): void;
  /** Ends the process: no frame is left. Throws. */
  die(signal: number, reason: string): never;
}

export class ProgramMmu implements AccessHost {
  readonly cpu: Cpu;
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** First word of frame 0: a frame's byte index is four times its distance from here. */
  readonly frameBase: number;
  readonly frameAt: Int32Array;
  readonly resolvesFaults: boolean;
  readonly context: UserContext;
  readonly #mode: ThreadMode;
  readonly #host: MmuHost;
  #isHandling = false;

  /** `proc` is the process's block. */
  constructor(mode: ThreadMode, proc: number, host: MmuHost) {
    const { cpu } = mode;
    this.cpu = cpu;
    this.words = cpu.words;
    this.bytes = cpu.machine.frameBytes;
    this.frameBase = cpu.machine.frameBase;
    this.frameAt = cpu.tlb.frameAt;
    this.resolvesFaults = host.faults === 'local';
    this.context = contextOf(cpu, proc);
    this.#mode = mode;
    this.#host = host;
  }

  /** The gate of this MMU's accesses. */
  attach(gate: AccessGate): void {
    this.context.gate = gate;
  }

  /** The process has ended. */
  close(): void {
    forgetContext(this.#mode.user, this.context);
  }

  /**
   * Makes the page of `address` accessible, or throws. True: the TLB has it, and the next access
   * may use it without another poll. False: the page is a device's.
   */
  translate(address: number, write: boolean): boolean {
    reserveStack();
    if (!this.#host.hasHeap()) this.#host.check();
    const outcome = translate(this.#mode.user, this.context, this, address, write);
    return outcome === FAULT_DONE || deviceOrThrow(address, write, outcome);
  }

  /** Runs a kernel function on this CPU, as a syscall that it makes itself. */
  inKernel<Result>(work: () => Result): Result {
    return this.#mode.inKernel(work);
  }

  deviceLoad(address: number, width: number): number {
    const value = this.#mode.inKernel(() => this.#host.deviceLoad(address, width));
    if (value >= 0) return value;
    this.refuse(address, false, FAULT_BUS);
    return this.deviceLoad(address, width);
  }

  deviceStore(address: number, width: number, value: number): void {
    const outcome = this.#mode.inKernel(() => this.#host.deviceStore(address, width, value));
    if (outcome >= 0) return;
    this.refuse(address, true, FAULT_BUS);
    this.deviceStore(address, width, value);
  }

  becameLive(): void {
    this.#mode.becameLive();
  }

  /** Throws when the process is over: its code must not go on. */
  takeSignals(): boolean {
    this.#host.check();
    return true;
  }

  resolveElsewhere(address: number, write: boolean): number {
    return this.#host.trapFault(address, write);
  }

  /** Calls the program's handler, after which the access is tried again; throws without one. */
  refuse(address: number, write: boolean, outcome: number): boolean {
    checkAddress(address);
    if (outcome === FAULT_NO_MEMORY) this.#outOfMemory(address);
    const info = faultInfo(address, write, outcome);
    const handler = this.#isHandling ? null : this.#host.handler(info.signal);
    // As in Linux, the signal is blocked while its handler runs: a fault in it is the end.
    if (handler === null) throw new MemoryFault(info);
    this.#isHandling = true;
    try {
      handler(info);
    } finally {
      this.#isHandling = false;
    }
    return true;
  }

  #outOfMemory(address: number): never {
    const pid = peek(this.words, this.context.proc + PROCESS.PID);
    const vpn = Math.floor(address / PAGE_SIZE);
    this.#mode.inKernel(() => logEvent(this.cpu, LOG_OUT_OF_MEMORY, pid, vpn, 0));
    return this.#host.die(SIGKILL, OUT_OF_MEMORY);
  }
}

/** False for a device's page; throws for a refused access. Apart, so that translate stays small. */
function deviceOrThrow(address: number, write: boolean, outcome: number): false {
  if (outcome === FAULT_DEVICE) return false;
  throw new MemoryFault(faultInfo(address, write, outcome));
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

/** An address is a number, which cannot become another one when it is used again. */
export function checkAddress(address: unknown): void {
  if (typeof address !== 'number') {
    throw new TypeError(`an address must be a number, got ${typeof address}`);
  }
  if (!Number.isInteger(address)) {
    throw new RangeError(`an address must be an integer, got ${address}`);
  }
}
