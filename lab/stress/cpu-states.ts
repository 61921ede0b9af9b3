/**
 * What every CPU of a machine is doing, read from the machine itself: evidence when it stands
 * still, and nobody in it can be asked.
 */
import { attachMachine, dmesgLines, protocolNamed } from '../../kernel/index.ts';
import type { Machine } from '../../kernel/index.ts';
import { load } from '../../shared/atomics.ts';
import * as L from '../../shared/layout/regions.ts';
import { panic } from '../../shared/panic.ts';

/** The latest lines of the kernel log that are shown. */
const LOG_LINES = 40;
const MODE_NAMES = ['offline', 'idle', 'kernel', 'user', 'blocked', 'parked', 'dead'];
const LOCKS = [
  ['buddy', L.B_BUDDY_LOCK],
  ['slab', L.B_SLAB_LOCK],
  ['record', L.B_RECORD_LOCK],
  ['process', L.B_PROC_LOCK],
] as const;

/** The kernel log, then a line for each CPU that is up, then the locks that are held. */
export function machineState(buffer: SharedArrayBuffer): string[] {
  const machine = view(buffer);
  const { words } = machine;
  const lines = dmesgLines(machine).slice(-LOG_LINES);
  const spaces = new Set<number>();
  for (let cpu = 0; cpu < machine.cpus; cpu++) {
    const at = machine.cpuBase + cpu * L.CPU_WORDS;
    const mode = load(words, at + L.C_MODE);
    const space = (mode >>> L.MODE_SPACE_SHIFT) << L.SPACE_ALIGN_SHIFT;
    if ((mode & L.MODE_MASK) === L.MODE_OFFLINE) continue;
    if (space !== 0) spaces.add(space);
    lines.push(
      `CPU ${cpu}: ${MODE_NAMES[mode & L.MODE_MASK] ?? mode}, space ${space}, ` +
        `epoch ${load(words, at + L.C_EPOCH)}, acknowledged ${load(words, at + L.C_ACK)}, ` +
        `trap ${load(words, at + L.C_TRAP_OP)} of process ${load(words, at + L.C_TRAP_PID)} ` +
        `number ${load(words, at + L.C_TRAP_SEQ)}, answered ${load(words, at + L.C_TRAP_DONE)}`,
    );
  }
  for (const space of spaces) {
    lines.push(
      `space ${space}: TLB generation ${load(words, space + L.S_TLB_GEN)}, ` +
        `area lock 0x${hex(load(words, space + L.S_AREA_LOCK))}, ` +
        `reader/writer lock 0x${hex(load(words, space + L.S_RW_LOCK))}`,
    );
  }
  for (const [name, lock] of LOCKS) {
    const word = load(words, lock);
    if (word !== 0) lines.push(`${name} lock: 0x${hex(word)}`);
  }
  lines.push(`epoch ${load(words, L.B_EPOCH)}, stop phase ${load(words, L.B_STOP)}`);
  return lines;
}

/** Frames of mapping records: they stay when the records in them are free. */
export function recordFrames(buffer: SharedArrayBuffer): number {
  const machine = view(buffer);
  const first = machine.recordDir;
  const slots = machine.words.subarray(first, first + L.RECORD_DIR_WORDS);
  return slots.filter((pfn) => pfn !== 0).length;
}

/** Only to read: no protocol's function is called. */
function view(buffer: SharedArrayBuffer): Machine {
  return attachMachine(buffer, protocolNamed('global') ?? panic('view: no such protocol'));
}

function hex(word: number): string {
  return (word >>> 0).toString(16);
}
