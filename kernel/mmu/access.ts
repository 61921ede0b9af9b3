/**
 * The path of an access from the miss to the retry: what a program's load or store does when its
 * TLB test fails.
 *
 * `translate` makes the process live; polls for shootdowns and signals; looks again, for the access
 * may have missed only because a poll was due; and walks. An access that must fault enters the
 * kernel, where this CPU's fault handler or the kernel worker resolves it, and walks again, without
 * another poll: the way out of the kernel has just looked for shootdowns. A refused access is
 * tried again only if the program's handler ran.
 *
 * The TLB test itself is on the program's side, unrolled for speed
 * (workers/cpu/memory/tlb-access.ts): the entry is the address's, the process's gate is open and no
 * shootdown is pending (one plain load of the generation), and no ordered poll is due.
 *
 * Guarantees: an access uses a translation only between two polls, and a shootdown's initiator
 * waits for the second. The plain load of the test may read an old generation; that delays the
 * acknowledgement, not the protection. Every POLL_ACCESSES accesses an ordered poll corrects it.
 * Locking: none in user mode; in the kernel, as handleFault.
 */
import { FAULT_RETRIES_MAX, USER_SPACE_END } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { addressOf, vpnOf } from '../../shared/units.ts';
import type { VirtAddr } from '../../shared/units.ts';
import { releaseFaultObject } from '../faults/object-fault.ts';
import {
  FAULT_AGAIN,
  FAULT_DEVICE,
  FAULT_DONE,
  FAULT_ENDED,
  FAULT_MAPERR,
  FAULT_NO_MEMORY,
  FAULT_WAIT,
} from '../machine/fault-codes.ts';
import { enterKernel } from './kernel-entry.ts';
import { hasSignal, poll } from './poll.ts';
import { resolveMiss } from './miss.ts';
import { countHits, enterUserMode, leaveKernelMode, openGate } from './user-mode.ts';
import type { UserContext, UserMode } from './user-mode.ts';
import { walk } from './walk.ts';

/** What differs between the hosts of programs: a CPU worker, the explorer, a benchmark. */
export interface AccessHost {
  /** Whether this CPU resolves faults itself; if not, every one goes to the kernel worker. */
  readonly resolvesFaults: boolean;
  /** The process has become the live one: the host makes sure that it leaves user mode again. */
  becameLive(): void;
  /** In user mode or idle: handles the process's signals. False when the process is over. */
  takeSignals(): boolean;
  /** In kernel mode: has the kernel worker resolve the fault, and sleeps meanwhile. FAULT_*. */
  resolveElsewhere(address: VirtAddr, write: boolean): number;
  /** In user mode: the access is refused. True when it may be tried again. */
  refuse(address: VirtAddr, write: boolean, outcome: number): boolean;
}

/**
 * Makes the page of the byte `address` accessible. FAULT_DONE: the TLB has it, and the next access
 * may use it without another poll. FAULT_DEVICE: the page is a device's, which the caller asks.
 * FAULT_ENDED: the process is over. Any other: the access is refused.
 *
 * It is one function so that it has more than 460 bytes of bytecode: V8 would otherwise inline it
 * into a program's loop, which then has no room left for the hit (stores from page to page took
 * twice as long).
 */
export function translate(
  mode: UserMode,
  context: UserContext,
  host: AccessHost,
  address: VirtAddr,
  write: boolean,
): number {
  const { cpu } = mode;
  const { tlb } = cpu;
  const vpn = vpnOf(address);
  const isUser = Number.isInteger(address) && address >= 0 && address < USER_SPACE_END;
  const bases = write ? tlb.writeBase : tlb.readBase;
  let outcome = FAULT_DONE;
  for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
    if (mode.live !== context) {
      // A process that has ended is not live either.
      if (!host.takeSignals()) return FAULT_ENDED;
      enterUserMode(mode, context);
      host.becameLive();
    }
    countHits(tlb, context);
    poll(mode, context);
    // Not only at a new generation: a kernel entry may already have caught up with the killer's.
    if (hasSignal(cpu, context.proc)) {
      if (!host.takeSignals()) return FAULT_ENDED;
      continue;
    }
    if (isUser) {
      if (bases[vpn & (bases.length - 1)] === addressOf(vpn)) {
        context.hits++;
        return FAULT_DONE;
      }
      if (attempt === 0) context.misses++;
      if (host.resolvesFaults) {
        outcome = resolveMiss(cpu, context.space, vpn, write);
        if (outcome === FAULT_DONE || outcome === FAULT_AGAIN) openGate(cpu, context);
        if (outcome === FAULT_DONE) return outcome;
        if (outcome === FAULT_AGAIN) continue;
        if (outcome === FAULT_WAIT || outcome === FAULT_DEVICE) {
          releaseFaultObject(cpu, cpu.faultObject);
        }
      } else {
        if (walk(cpu, tlb, vpn, write)) return FAULT_DONE;
        enterKernel(cpu);
      }
      // Pages are the kernel worker's to supply, and frames are its to reclaim.
      if (!host.resolvesFaults || outcome === FAULT_WAIT || outcome === FAULT_NO_MEMORY) {
        outcome = host.resolveElsewhere(address, write);
      }
      leaveKernelMode(mode);
      if (outcome === FAULT_DONE && walk(cpu, tlb, vpn, write)) return FAULT_DONE;
    } else {
      outcome = FAULT_MAPERR;
    }
    if (outcome === FAULT_DEVICE) return outcome;
    if (outcome !== FAULT_DONE && !host.refuse(address, write, outcome)) return outcome;
  }
  // On Linux a handler that repairs nothing would loop for ever; here the fault is reported.
  if (outcome !== FAULT_DONE && outcome !== FAULT_AGAIN) return outcome;
  return panic('translate: livelock', address, context.space);
}
