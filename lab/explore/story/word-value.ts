/** What a word's value means, in words: 'frame 7, read only, copy-on-write', 'user space 2.0'. */
import * as CPU from '../../../shared/layout/cpu.ts';
import * as FRAME from '../../../shared/layout/frame.ts';
import { wordName } from '../../../shared/layout/names.ts';
import type { NamedWords } from '../../../shared/layout/names.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import * as SPACE from '../../../shared/layout/space.ts';
import * as SWAP from '../../../shared/layout/swap.ts';
import * as pte from '../../../shared/pte.ts';
import type { MachineView } from './machine-view.ts';

const MODES = [
  ...['offline', 'idle', 'kernel mode', 'user mode', 'blocked', 'parked', 'dead'],
] as const;
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
// Of a reader/writer lock.
const RW_WRITER = 1 << 30;
const RW_PENDING = 1 << 29;
const RW_SLEEPERS = 1 << 28;

/** `name` is as shared/layout/names.ts has it. Numbers that mean only themselves stay numbers. */
export function wordValue(
  machine: NamedWords,
  view: MachineView,
  name: string,
  value: number,
): string {
  if (/^table \d+ .* entry/.test(name)) return describeEntry(value);
  if (/^cpu \d+ MODE$/.test(name)) return describeMode(machine, view, value);
  if (/^frame \d+ STATE$/.test(name)) return describeFrame(value);
  if (/^swap slot \d+ STATE$/.test(name)) return SLOTS[value] ?? hex(value);
  if (/^process .* STATE$/.test(name)) return PROCESSES[value] ?? hex(value);
  if (/ RW_LOCK$/.test(name)) return describeRwLock(value);
  if (/(^| |_)LOCK$|^scenario lock$/.test(name)) return describeLock(value);
  return value < 0 || value > 9999 ? hex(value) : String(value);
}

/** A page-table entry of any level. */
export function describeEntry(entry: number): string {
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

export function describeMode(machine: NamedWords, view: MachineView, mode: number): string {
  const name = MODES[mode & CPU.MODE_MASK] ?? hex(mode);
  if ((mode & CPU.MODE_MASK) !== CPU.MODE_USER) return name;
  const space = (mode >>> CPU.MODE_SPACE_SHIFT) << SPACE.ALIGN_SHIFT;
  const block = wordName(machine, space).replace(/ \S+$/, '');
  return `user mode, ${view.spaces.find((one) => one.name === block)?.owner ?? block}`;
}

function describeFrame(state: number): string {
  return FRAME.STATE_NAMES[state & 0xf] ?? hex(state);
}

/** Of a reader/writer lock (kernel/machine/rwlock.ts). */
function describeRwLock(value: number): string {
  if ((value & RW_WRITER) !== 0) return 'held by a writer';
  const readers = value & (RW_SLEEPERS - 1);
  const waiting = (value & (RW_PENDING | RW_SLEEPERS)) === 0 ? '' : ', others wait';
  if (readers === 0) return `free${waiting}`;
  return `held by ${readers === 1 ? 'a reader' : `${readers} readers`}${waiting}`;
}

export function describeLock(value: number): string {
  const owner = value & ~CONTENDED;
  if (owner === 0) return 'free';
  if (owner < 0 || owner > 64) return hex(value);
  const waiting = (value & CONTENDED) === 0 ? '' : ', others sleep';
  return `held by CPU ${owner - 1}${waiting}`;
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
