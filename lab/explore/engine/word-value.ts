/** What a word's value means, in words: 'frame 7, read only, copy-on-write', 'user space 2.0'. */
import * as CPU from '../../../shared/layout/cpu.ts';
import * as FRAME from '../../../shared/layout/frame.ts';
import { wordName } from '../../../shared/layout/names.ts';
import type { NamedWords } from '../../../shared/layout/names.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import * as SPACE from '../../../shared/layout/space.ts';
import * as SWAP from '../../../shared/layout/swap.ts';
import * as pte from '../../../shared/pte.ts';

const MODES = ['offline', 'idle', 'kernel', 'user', 'blocked', 'parked', 'dead'] as const;
const RESERVED = ['anonymous', 'object', 'device', 'guard', 'swap slot'] as const;
const SLOTS: Readonly<Record<number, string>> = {
  [SWAP.FREE]: 'free',
  [SWAP.DIRTY]: 'dirty',
  [SWAP.WRITING]: 'being written',
  [SWAP.CLEAN]: 'clean',
};
const PROCESSES: Readonly<Record<number, string>> = {
  [PROCESS.NEW]: 'new',
  [PROCESS.RUNNING]: 'running',
  [PROCESS.ZOMBIE]: 'zombie',
};
/** Of a spinlock: somebody sleeps until it is free. */
const CONTENDED = 1 << 30;

/** `name` is the word's (names.ts). Numbers that mean only themselves stay numbers. */
export function wordValue(machine: NamedWords, name: string, value: number): string {
  if (/^table \d+ .* entry/.test(name)) return describeEntry(value);
  if (/^cpu \d+ MODE$/.test(name)) return describeMode(machine, value);
  if (/^frame \d+ STATE$/.test(name)) return describeFrame(value);
  if (/^swap slot \d+ STATE$/.test(name)) return SLOTS[value] ?? hex(value);
  if (/^process .* STATE$/.test(name)) return PROCESSES[value] ?? hex(value);
  if (/ (AREA_|RECORD_|BUDDY_|SWAP_|PROC_|NAME_|SLAB_)?LOCK$/.test(name))
    return describeLock(value);
  return value < 0 || value > 9999 ? hex(value) : String(value);
}

/** A page-table entry of any level. */
function describeEntry(entry: number): string {
  if (entry === 0) return 'empty';
  const bits: string[] = [rights(pte.logicalRwx(entry))];
  if (pte.isTable(entry)) return `table ${pte.pfnOf(entry)}`;
  if (!pte.isPresent(entry)) {
    const kind = pte.reservedKind(entry);
    const payload = pte.reservedRecord(entry);
    const what = `${RESERVED[kind] ?? 'reserved'}${payload === 0 ? '' : ` ${payload}`}`;
    return `not present, ${what}, ${bits.join(', ')}`;
  }
  if ((entry & pte.PTE_COW) !== 0) bits[0] = `${rights(entry & pte.PTE_RWX)}, copy-on-write`;
  if ((entry & pte.PTE_SHARED) !== 0) bits.push('shared');
  if ((entry & pte.PTE_S) !== 0) bits.push('superpage');
  if ((entry & pte.PTE_A) !== 0) bits.push('accessed');
  if ((entry & pte.PTE_D) !== 0) bits.push('dirty');
  const frame = pte.isZeroPage(entry) ? 'zero page' : `frame ${pte.pfnOf(entry)}`;
  return [frame, ...bits].join(', ');
}

function rights(rwx: number): string {
  const may = [
    (rwx & pte.PTE_R) !== 0 ? 'read' : '',
    (rwx & pte.PTE_W) !== 0 ? 'write' : '',
    (rwx & pte.PTE_X) !== 0 ? 'execute' : '',
  ].filter((word) => word !== '');
  if (may.length === 0) return 'no access';
  return may.length === 1 ? `${may[0]} only` : may.join('/');
}

function describeMode(machine: NamedWords, mode: number): string {
  const name = MODES[mode & CPU.MODE_MASK] ?? hex(mode);
  const space = (mode >>> CPU.MODE_SPACE_SHIFT) << SPACE.ALIGN_SHIFT;
  if ((mode & CPU.MODE_MASK) !== CPU.MODE_USER) return name;
  return `${name}, ${wordName(machine, space).replace(/ \S+$/, '')}`;
}

function describeFrame(state: number): string {
  return FRAME.STATE_NAMES[state & 0xf] ?? hex(state);
}

function describeLock(value: number): string {
  const owner = value & ~CONTENDED;
  if (owner === 0) return 'free';
  if (owner < 0 || owner > 64) return hex(value);
  const waiting = (value & CONTENDED) === 0 ? '' : ', others sleep';
  return `held by CPU ${owner - 1}${waiting}`;
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
