/**
 * What every CPU of a machine is doing, read from the machine itself: evidence for when it makes no
 * progress and its Workers do not answer.
 */
import { attachMachine, dmesgLines, protocolNamed } from '../../kernel/index.ts';
import { LOCK_CLASSES } from '../../kernel/machine/lock-order.ts';
import { frameField } from '../../kernel/machine/machine.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as RECORD from '../../shared/layout/record.ts';
import type { Machine } from '../../kernel/index.ts';
import { load } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { panic } from '../../shared/panic.ts';

/** The latest lines of the kernel log that are shown. */
const LOG_LINES = 40;
const MODE_NAMES = ['offline', 'idle', 'kernel', 'user', 'blocked', 'parked', 'dead'];

/** The kernel log, then a line for each CPU that is up, then the locks that are held. */
export function machineState(buffer: SharedArrayBuffer): string[] {
  const machine = view(buffer);
  const { words } = machine;
  const lines = dmesgLines(machine).slice(-LOG_LINES);
  const spaces = new Set<number>();
  for (let cpu = 0; cpu < machine.cpus; cpu++) {
    const at = machine.cpuBase + cpu * CPU.WORDS;
    const mode = load(words, at + CPU.MODE);
    const space = (mode >>> CPU.MODE_SPACE_SHIFT) << SPACE.ALIGN_SHIFT;
    if ((mode & CPU.MODE_MASK) === CPU.MODE_OFFLINE) continue;
    if (space !== 0) spaces.add(space);
    lines.push(
      `CPU ${cpu}: ${MODE_NAMES[mode & CPU.MODE_MASK] ?? mode}, space ${space}, ` +
        `epoch ${load(words, at + CPU.EPOCH)}, acknowledged ${load(words, at + CPU.ACK)}, ` +
        `trap ${load(words, at + CPU.TRAP_OP)} of process ${load(words, at + CPU.TRAP_PID)} ` +
        `number ${load(words, at + CPU.TRAP_SEQ)}, answered ${load(words, at + CPU.TRAP_DONE)}`,
    );
  }
  for (const space of spaces) {
    lines.push(
      `space ${space}: TLB generation ${load(words, space + SPACE.TLB_GEN)}, ` +
        `area lock 0x${hex(load(words, space + SPACE.AREA_LOCK))}, ` +
        `reader/writer lock 0x${hex(load(words, space + SPACE.RW_LOCK))}`,
    );
  }
  for (const { name, block, at } of LOCK_CLASSES) {
    const word = block === BOOT.LAYOUT ? load(words, at) : 0;
    if (word !== 0) lines.push(`${name}: 0x${hex(word)}`);
  }
  lines.push(`epoch ${load(words, BOOT.EPOCH)}, stop phase ${load(words, BOOT.STOP)}`);
  return lines;
}

/** Frames of mapping records: they stay when the records in them are free. */
export function recordFrames(buffer: SharedArrayBuffer): number {
  const machine = view(buffer);
  const first = machine.recordDir;
  const slots = machine.words.subarray(first, first + RECORD.DIRECTORY_WORDS);
  return slots.filter((pfn) => pfn !== 0).length;
}

/** Frames in use by state and, of blocks, slab; those of retired tables and of records left out. */
export function framesInUse(buffer: SharedArrayBuffer): Readonly<Record<string, number>> {
  const machine = view(buffer);
  const uses: Record<string, number> = { kernel: -recordFrames(buffer) };
  for (let pfn = 1; pfn < machine.frames; pfn++) {
    const word = load(machine.words, frameField(machine, pfn, FRAME.STATE));
    const state = word & 0xf;
    if (state < FRAME.USED || state === FRAME.RETIRED) continue;
    const slab = (word >>> FRAME.ORDER_SHIFT) & 0xf;
    const name = FRAME.STATE_NAMES[state] ?? '';
    const use = state === FRAME.SLAB ? `slab of ${SLAB.BLOCKS[slab]?.name ?? slab}` : name;
    uses[use] = (uses[use] ?? 0) + 1;
  }
  return uses;
}

/** Only to read: no protocol's function is called. */
function view(buffer: SharedArrayBuffer): Machine {
  return attachMachine(buffer, protocolNamed('global') ?? panic('view: no such protocol'));
}

function hex(word: number): string {
  return (word >>> 0).toString(16);
}
