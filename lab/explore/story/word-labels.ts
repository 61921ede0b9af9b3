/** What a word of the machine is, in words: 'the entry of page 0', 'the mode of CPU 1'. */
import * as FRAME from '../../../shared/layout/frame.ts';
import { wordName } from '../../../shared/layout/names.ts';
import type { NamedWords } from '../../../shared/layout/names.ts';
import { TABLE_ENTRIES, TABLE_SHIFT } from '../../../shared/limits.ts';
import type { Subject } from '../engine/subject.ts';
import { viewMachine } from './machine-view.ts';
import type { MachineView } from './machine-view.ts';
import { rangeName } from '../model/page-names.ts';

/** Fields whose names do not say enough. */
const FIELDS: Readonly<Record<string, string>> = {
  ACK: 'acknowledged TLB generation',
  AREA_LOCK: 'lock of the areas',
  AREA_SEQ: 'sequence number of locked areas',
  BUDDY_LOCK: 'lock of the free frames',
  CPU_EVENT: 'event count of the CPUs',
  COUNT: 'reference count',
  EPOCH: 'RCU epoch',
  FAULTS_MAJOR: 'count of major faults',
  FAULTS_MINOR: 'count of minor faults',
  INDEX_SEQ: 'sequence number of the area index',
  LAZY_ACK: 'swept lazy generation',
  LAZY_GEN: 'lazy TLB generation',
  NAME_LOCK: "lock of the areas' names",
  PENDING: 'pending signal',
  PROC_LOCK: 'lock of the processes',
  RECORD_LOCK: 'lock of the mapping records',
  REFS: 'reference count',
  RESIDENT: 'count of resident pages',
  RW_LOCK: 'reader/writer lock',
  SHOOTDOWNS: 'count of shootdowns',
  SLAB_LOCK: 'lock of the slabs',
  STATE: 'state',
  STOP: 'stop of all CPUs',
  SWAP_LOCK: 'lock of the swap map',
  TABLE_FRAMES: 'count of table frames',
  TLB_GEN: 'TLB generation',
};

/** A word, as a story says it. */
export interface Label {
  readonly text: string;
  /** As shared/layout/names.ts has it, which says what its value means. */
  readonly name: string;
  readonly isEntry: boolean;
  readonly isLock: boolean;
}

/** What a word is at this moment. */
export function wordLabel(subject: Subject, at: number): Label {
  const { machine } = subject.world;
  return labelOf(subject, viewMachine(machine, machine.frames), at);
}

export function labelOf({ world, model }: Subject, view: MachineView, at: number): Label {
  const { machine } = world;
  const modelName = model.module.modelWordName(at);
  if (modelName !== null) {
    const isLock = modelName.endsWith('lock');
    return { text: `the ${modelName}`, name: modelName, isEntry: false, isLock };
  }
  const name = wordName(machine, at);
  const entry = /^table (\d+) \(level \d\) entry (\d+)$/.exec(name);
  if (entry !== null) {
    const text = entryText(view, Number(entry[1]), Number(entry[2]));
    return { text, name, isEntry: true, isLock: false };
  }
  const frame = /^frame (\d+) AUX$/.exec(name);
  if (frame !== null && stateOf(machine, Number(frame[1])) === FRAME.TABLE) {
    return { text: `the lock of table ${frame[1]}`, name, isEntry: false, isLock: true };
  }
  const isLock = /(^| |_)LOCK$/.test(name) && !name.endsWith('RW_LOCK');
  return { text: fieldText(view, name), name, isEntry: false, isLock };
}

function entryText(view: MachineView, frame: number, index: number): string {
  const table = view.tables.get(frame);
  if (table === undefined) return `entry ${index} of table ${frame}, which is not linked`;
  const pages = TABLE_ENTRIES ** table.level;
  const range = rangeName(table.startVpn + index * pages, pages);
  return `the entry of ${range}${ownerText(view, table.space)}`;
}

function fieldText(view: MachineView, name: string): string {
  const data = /^used frame (\d+) word (\d+)$/.exec(name);
  if (data !== null) return `word ${data[2]} of frame ${data[1]}`;
  const match = /^(.*) ([A-Z][A-Z_0-9]*)((?: \d+)?)$/.exec(name);
  if (match === null) return name;
  const [, block = '', field = '', index = ''] = match;
  const text = `the ${FIELDS[field] ?? field.toLowerCase().replaceAll('_', ' ')}${index}`;
  if (block === 'boot') return text;
  if (!block.startsWith('space ')) return `${text} of ${block.replace(/^cpu/, 'CPU')}`;
  const space = view.spaces.find(({ name: known }) => known === block);
  return `${text}${space === undefined ? ` of ${block}` : ownerText(view, space.space)}`;
}

/** ' of process 2', or nothing while there is one address space. */
function ownerText({ spaces }: MachineView, space: number): string {
  if (spaces.length < 2) return '';
  return ` of ${spaces.find((one) => one.space === space)?.owner ?? 'an ended process'}`;
}

function stateOf({ words, meta }: NamedWords, frame: number): number {
  return (words[meta + frame * FRAME.WORDS + FRAME.STATE] as number) & 0xf;
}

/** The frame that a word of user memory lies in. */
export function frameOf({ frameBase }: NamedWords, at: number): number {
  return (at - frameBase) >> TABLE_SHIFT;
}
