/**
 * Signals: what a process has pending, blocks, catches and ignores, and what sending one does.
 *
 *     send → ignored: dropped
 *          → default action, not blocked: PROCESS.PENDING, which ends the process (killProcess)
 *          → caught or blocked: a bit of SIG_PENDING, taken by the process at its next safe point
 *
 * A signal that ends the process is decided when it is sent, as in Linux's complete_signal: what
 * the process installs later does not save it. While an action changes, nothing is decided: the
 * signal becomes pending, and the process decides when it takes it.
 *
 * Guarantees: a pending signal is taken exactly once; of several of one number one is kept, as for
 * Linux's signals below 32. Lowest number first.
 * Locking: none. The sets are words: senders set pending bits, the process's CPU does the rest.
 */
import { add, and, load, or, peek, poke, store } from '../../shared/atomics.ts';
import { ESRCH } from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { SIGCHLD, SIGKILL, signalBit } from '../../shared/abi/signals.ts';
import type { Pid, ProcessBlock, SpaceBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { pokeSpace } from '../paging/shootdown.ts';
import { deliverable } from '../mmu/poll.ts';
import { processOf } from './pid-table.ts';

/** What sending a signal comes to. */
export const SIGNAL_IGNORED = 0;
/** The process will end. */
export const SIGNAL_FATAL = 1;
/** The process must check its signals: if it is awaiting, its Worker must be told. */
export const SIGNAL_PENDING = 2;

/** What a process does on a signal. */
export const ACTION_DEFAULT = 0;
/** A handler of the program. */
export const ACTION_CATCH = 1;
/** Nothing happens. */
export const ACTION_IGNORE = 2;

/** Signals that cannot be blocked. */
const UNBLOCKABLE: number = signalBit(SIGKILL);

function isIgnoredByDefault(signal: number): boolean {
  return signal === SIGCHLD;
}

/** Sends `signal` to a process; a zombie takes no notice. SIGNAL_*, or -ESRCH. */
export function sendSignal(cpu: Cpu, pid: Pid, signal: number, sender: Pid): number {
  const { words } = cpu;
  const proc = processOf(cpu.machine, pid);
  if (proc === 0) return -ESRCH;
  if (peek(words, proc + PROCESS.STATE) === PROCESS.ZOMBIE) return SIGNAL_IGNORED;
  const bit = signalBit(signal);
  // ORDER: before the sets, whose values belong together if it is even and the same after them.
  const changes = load(words, proc + PROCESS.SIG_CHANGES);
  // ORDER: momentary values: a signal that crosses sigaction or sigprocmask may come before it.
  const isBlocked = (load(words, proc + PROCESS.SIG_BLOCKED) & bit & ~UNBLOCKABLE) !== 0;
  const isCaught = (load(words, proc + PROCESS.SIG_CAUGHT) & bit) !== 0;
  const isIgnored = (load(words, proc + PROCESS.SIG_IGNORED) & bit) !== 0;
  // ORDER: after the sets.
  const isSettled = (changes & 1) === 0 && load(words, proc + PROCESS.SIG_CHANGES) === changes;
  if (!isBlocked && !isCaught && (isSettled || signal === SIGKILL)) {
    if (isIgnored || isIgnoredByDefault(signal)) return SIGNAL_IGNORED;
    killProcess(cpu, pid, signal);
    return SIGNAL_FATAL;
  }
  poke(words, proc + PROCESS.SIG_SENDERS + signal, sender);
  // ORDER: the bit is set before the generation that makes the process look.
  or(words, proc + PROCESS.SIG_PENDING, bit);
  const space: SpaceBlock = peek(words, proc + PROCESS.SPACE);
  if (space !== 0) pokeSpace(cpu, space);
  return SIGNAL_PENDING;
}

/** Marks a process to be ended by `signal`; it notices at its next access at the latest. */
export function killProcess(cpu: Cpu, pid: Pid, signal: number): number {
  const { words } = cpu;
  const proc = processOf(cpu.machine, pid);
  if (proc === 0) return -ESRCH;
  if (peek(words, proc + PROCESS.STATE) === PROCESS.ZOMBIE) return 0;
  // ORDER: the signal is stored before the generation that makes the process look.
  store(words, proc + PROCESS.PENDING, signal);
  const space: SpaceBlock = peek(words, proc + PROCESS.SPACE);
  if (space !== 0) pokeSpace(cpu, space);
  return 0;
}

/** Takes the lowest pending signal that is not blocked; 0 for none. By the process's CPU. */
export function takeSignal(cpu: Cpu, proc: ProcessBlock): number {
  const set = deliverable(cpu, proc);
  if (set === 0) return 0;
  const signal = 32 - Math.clz32(set & -set);
  // ORDER: cleared before the handler runs: the same signal sent meanwhile is a new one.
  and(cpu.words, proc + PROCESS.SIG_PENDING, ~signalBit(signal));
  return signal;
}

/** The sender of the last signal of this number that was taken: a pid, or 0 for the host. */
export function signalSender(cpu: Cpu, proc: ProcessBlock, signal: number): Pid {
  return peek(cpu.words, proc + PROCESS.SIG_SENDERS + signal);
}

/** The set of pending signals, blocked ones included. */
export function pendingSet(cpu: Cpu, proc: ProcessBlock): number {
  // ORDER: a momentary value.
  return load(cpu.words, proc + PROCESS.SIG_PENDING);
}

/** Sets the process's action for `signal`, ACTION_*. If it is now ignored, drops a pending one. */
export function setAction(cpu: Cpu, proc: ProcessBlock, signal: number, action: number): void {
  const { words } = cpu;
  const bit = signalBit(signal);
  // ORDER: written by the process's own CPU only.
  const caught = load(words, proc + PROCESS.SIG_CAUGHT) & ~bit;
  const ignored = load(words, proc + PROCESS.SIG_IGNORED) & ~bit;
  // ORDER: before the stores and after them: who reads between them neither ends nor spares.
  add(words, proc + PROCESS.SIG_CHANGES, 1);
  store(words, proc + PROCESS.SIG_CAUGHT, action === ACTION_CATCH ? caught | bit : caught);
  store(words, proc + PROCESS.SIG_IGNORED, action === ACTION_IGNORE ? ignored | bit : ignored);
  add(words, proc + PROCESS.SIG_CHANGES, 1);
  const drops = action === ACTION_DEFAULT ? isIgnoredByDefault(signal) : action === ACTION_IGNORE;
  if (drops) and(words, proc + PROCESS.SIG_PENDING, ~bit);
}

/** ACTION_* of a signal. */
export function actionOf(cpu: Cpu, proc: ProcessBlock, signal: number): number {
  const bit = signalBit(signal);
  // ORDER: written by the process's own CPU.
  if ((load(cpu.words, proc + PROCESS.SIG_CAUGHT) & bit) !== 0) return ACTION_CATCH;
  return (load(cpu.words, proc + PROCESS.SIG_IGNORED) & bit) !== 0 ? ACTION_IGNORE : ACTION_DEFAULT;
}

/** Whether a process ignores a signal on purpose. False when there is no such process. */
export function ignoresSignal(cpu: Cpu, pid: Pid, signal: number): boolean {
  const proc = processOf(cpu.machine, pid);
  return proc !== 0 && actionOf(cpu, proc, signal) === ACTION_IGNORE;
}

/** Whether the default action on a signal is to do nothing. */
export function defaultsToNothing(signal: number): boolean {
  return isIgnoredByDefault(signal);
}

/** Blocks exactly the signals of `mask` except SIGKILL. Returns the set blocked before. */
export function setMask(cpu: Cpu, proc: ProcessBlock, mask: number): number {
  // ORDER: written by the process's own CPU only.
  const before = load(cpu.words, proc + PROCESS.SIG_BLOCKED);
  // ORDER: senders read a momentary value; the process looks at what is pending afterwards.
  store(cpu.words, proc + PROCESS.SIG_BLOCKED, mask & ~UNBLOCKABLE);
  return before;
}

/** The blocked set. */
export function maskOf(cpu: Cpu, proc: ProcessBlock): number {
  // ORDER: written by the process's own CPU.
  return load(cpu.words, proc + PROCESS.SIG_BLOCKED);
}

/** A child or thread blocks and ignores what its parent does; it has no handlers yet. */
export function inheritSignals(cpu: Cpu, parent: ProcessBlock, child: ProcessBlock): void {
  poke(cpu.words, child + PROCESS.SIG_BLOCKED, maskOf(cpu, parent));
  // ORDER: a momentary value of the parent's.
  poke(cpu.words, child + PROCESS.SIG_IGNORED, load(cpu.words, parent + PROCESS.SIG_IGNORED));
}
