/**
 * The kernel log: a ring of numbers in the machine, formatted only when it is read.
 *
 * Any CPU appends at any time; the newest DMESG_ENTRIES survive. Record: sequence number + 1,
 * milliseconds since boot, CPU, event, three values.
 */
import { add, load, peek, store } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as LOG from '../../shared/layout/log.ts';
import { errnoName } from '../../shared/abi/errno.ts';
import { DMESG_ENTRIES } from '../../shared/limits.ts';
import { SIGNAL_NAMES } from '../../shared/abi/signals.ts';
import type { Cpu } from './cpu.ts';
import type { Machine } from './machine.ts';

/** The machine was started: {frames, CPUs, checked}. */
export const LOG_BOOT = 1;
/** A CPU was started. */
export const LOG_CPU_UP = 2;
export const LOG_CPU_DEAD = 3;
export const LOG_CPU_STUCK = 4;
export const LOG_PROCESS_START = 5;
export const LOG_PROCESS_EXIT = 6;
export const LOG_PROCESS_KILLED = 7;
export const LOG_SEGFAULT = 8;
/** A frame was wanted, and none could be reclaimed. */
export const LOG_OUT_OF_MEMORY = 9;
export const LOG_OBJECT = 10;
export const LOG_AUDIT = 11;
/** A process was killed to free its memory. */
export const LOG_OOM_KILL = 12;
/** A page could not be written to the swap store. */
export const LOG_SWAP_WRITE = 13;
/** A page could not be read from the swap store. */
export const LOG_SWAP_READ = 14;
/** A Worker is replaced because the code of an ended process keeps it: {CPU, pid}. */
export const LOG_RUNAWAY = 15;

/** Of a record, what follows its stamp: time, CPU, event, three values. */
const RECORD_WORDS = 6;

/** Appends an event with three 32-bit values. */
export function logEvent(cpu: Cpu, event: number, a: number, b: number, c: number): void {
  const { words, machine } = cpu;
  // ORDER: the sequence number gives the slot to one writer.
  const sequence = add(words, BOOT.DMESG_NEXT, 1);
  const at = machine.dmesg + (sequence % DMESG_ENTRIES) * LOG.WORDS;
  // ORDER: no stamp while the record changes, so that a reader never takes half a record.
  store(words, at + LOG.STAMP, 0);
  const record = [peek(words, BOOT.JIFFIES), cpu.id, event, a, b, c];
  // ORDER: after the stamp has gone, for a reader that looks at it twice.
  for (let i = 0; i < record.length; i++) store(words, at + LOG.TIME + i, record[i] as number);
  // ORDER: publishes the record.
  store(words, at + LOG.STAMP, sequence + 1);
}

/** The log as text, oldest line first, as dmesg prints it. */
export function dmesgLines(machine: Machine): string[] {
  const { words } = machine;
  const lines: string[] = [];
  // ORDER: records older than this load are complete or carry another stamp.
  const next = load(words, BOOT.DMESG_NEXT);
  for (let sequence = Math.max(0, next - DMESG_ENTRIES); sequence < next; sequence++) {
    const at = machine.dmesg + (sequence % DMESG_ENTRIES) * LOG.WORDS;
    // ORDER: the stamp is checked before the record is read and after it; a torn line is dropped.
    if (load(words, at + LOG.STAMP) !== sequence + 1) continue;
    const record: number[] = [];
    for (let i = 0; i < RECORD_WORDS; i++) record.push(load(words, at + LOG.TIME + i));
    if (load(words, at + LOG.STAMP) !== sequence + 1) continue;
    const [ms = 0, cpu, event = 0, a = 0, b = 0, c = 0] = record;
    const seconds = (ms / 1000).toFixed(3).padStart(9);
    lines.push(`[${seconds}] cpu${cpu}: ${describe(event, a, b, c)}`);
  }
  return lines;
}

function describe(event: number, a: number, b: number, c: number): string {
  switch (event) {
    case LOG_BOOT:
      return `boot: ${a} frames of 4 KiB, ${b} CPU blocks, checked ${c}`;
    case LOG_CPU_UP:
      return `CPU ${a} online`;
    case LOG_CPU_DEAD:
      return `CPU ${a} lost its Worker; ${b} processes killed`;
    case LOG_CPU_STUCK:
      return `watchdog: CPU ${a} gave no acknowledgement for ${b} ms in user mode; condemned`;
    case LOG_PROCESS_START:
      return `process ${a} started on CPU ${b}, parent ${c}`;
    case LOG_PROCESS_EXIT:
      return `process ${a} exited with code ${b}`;
    case LOG_PROCESS_KILLED:
      return `process ${a} ended by ${SIGNAL_NAMES[b] ?? `signal ${b}`}`;
    case LOG_SEGFAULT:
      return `process ${a} ended by ${SIGNAL_NAMES[c]} at page 0x${(b >>> 0).toString(16)}`;
    case LOG_OUT_OF_MEMORY:
      return `out of memory: process ${a}, page 0x${(b >>> 0).toString(16)}`;
    case LOG_OOM_KILL:
      return c === 0
        ? `out of memory: process ${a} killed, which had ${b} pages`
        : `memory limit of ${c} pages: process ${a} killed, which had ${b} pages`;
    case LOG_RUNAWAY:
      return `watchdog: CPU ${a} gets a new Worker, process ${b} does not let go of it`;
    case LOG_OBJECT:
      return `object of kind ${a} registered, ${b} pages, host number ${c}`;
    case LOG_SWAP_WRITE:
      return `swap: slot ${a} cannot be written: ${errnoName(b)}; its page stays in memory`;
    case LOG_SWAP_READ:
      return `swap: slot ${a} cannot be read: ${errnoName(b)}; its page is lost`;
    case LOG_AUDIT:
      return `audit: ${a} violations, ${b} frames, ${c} spaces`;
    default:
      return `event ${event}: ${a} ${b} ${c}`;
  }
}
