/** Names of the machine's words, after shared/layout/regions.ts: 'cpu 1 C_MODE', 'table 12 entry 5'. */
import * as L from '../../../shared/layout/regions.ts';
import { TABLE_ENTRIES } from '../../../shared/limits.ts';
import type { Machine } from '../../../kernel/machine/machine.ts';

/** Offset to name of the layout's constants with this prefix. */
function fieldsOf(prefix: string): Map<number, string> {
  const fields = new Map<number, string>();
  for (const [name, value] of Object.entries(L)) {
    if (name.startsWith(prefix) && typeof value === 'number' && !fields.has(value)) {
      fields.set(value, name);
    }
  }
  return fields;
}

const BOOT = fieldsOf('B_');
const CPU = fieldsOf('C_');
const FRAME = fieldsOf('F_');
/** Fields of slab blocks, in the order of SLAB_NAMES. */
const SLABS = [fieldsOf('S_'), fieldsOf('P_'), fieldsOf('A_'), fieldsOf('O_')];

/** The name of a word, by what the machine's metadata say of its frame at this moment. */
export function wordName(machine: Machine, at: number): string {
  if (at < L.BOOT_WORDS) return BOOT.get(at) ?? `boot word ${at}`;
  if (at < machine.recordDir) {
    const within = (at - machine.cpuBase) % L.CPU_WORDS;
    const id = Math.floor((at - machine.cpuBase) / L.CPU_WORDS);
    return `cpu ${id} ${CPU.get(within) ?? `+${within}`}`;
  }
  if (at < machine.procTable) return `record directory ${at - machine.recordDir}`;
  if (at < machine.futexQueues) return `pid slot ${at - machine.procTable}`;
  if (at < machine.histograms) {
    const queue = at - machine.futexQueues;
    return `${['lock', 'first', 'last', 'word'][queue % 4]} of futex queue ${queue >> 2}`;
  }
  if (at < machine.meta) return `log word ${at}`;
  if (at < machine.frameBase) {
    const offset = at - machine.meta;
    const frame = Math.floor(offset / L.FRAME_META_WORDS);
    return `frame ${frame} ${FRAME.get(offset % L.FRAME_META_WORDS) ?? ''}`;
  }
  return frameWordName(machine, at);
}

function frameWordName(machine: Machine, at: number): string {
  const frame = Math.floor((at - machine.frameBase) / TABLE_ENTRIES);
  const within = (at - machine.frameBase) % TABLE_ENTRIES;
  const meta = machine.words[machine.meta + frame * L.FRAME_META_WORDS + L.F_STATE] as number;
  const state = meta & 0xf;
  if (state === L.FRAME_TABLE) {
    return `table ${frame} (level ${(meta >> L.F_LEVEL_SHIFT) & 3}) entry ${within}`;
  }
  if (state === L.FRAME_SLAB) {
    const slab = (meta >> L.F_ORDER_SHIFT) & 0xf;
    const size = L.SLAB_SIZES[slab] ?? TABLE_ENTRIES;
    const field = SLABS[slab]?.get(within % size) ?? `+${within % size}`;
    return `${L.SLAB_NAMES[slab]} ${frame}.${Math.floor(within / size)} ${field}`;
  }
  return `${L.FRAME_STATE_NAMES[state]} frame ${frame} word ${within}`;
}
