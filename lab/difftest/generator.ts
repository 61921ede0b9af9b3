/**
 * Random sequences: calls that mostly make sense and meet in a few pages, with a share of nonsense.
 * The same seed gives the same sequence. A sequence has a theme, some kinds of calls that others
 * lack, so that the effects of rare kinds are not undone at once by all others.
 */
import type { CapabilityName } from '../../shared/abi/capabilities.ts';
import { MFD_ALLOW_SEALING, O_CREAT, O_RDONLY, O_RDWR } from '../../shared/abi/mman.ts';
import { makeRandom } from '../../shared/random.ts';
import { Choices } from './choices.ts';
import type { CallKind, Theme } from './choices.ts';
import { FILE_CALLS } from './generate-files.ts';
import { MEMORY_CALLS } from './generate-memory.ts';
import { generateMmap } from './generate-mmap.ts';
import type { Op, Sequence } from './sequence.ts';

const CALLS: readonly CallKind[] = [
  { call: 'mmap', weight: 44, generate: generateMmap },
  ...MEMORY_CALLS,
  ...FILE_CALLS,
];

const OPS_MIN = 12;
const OPS_MAX = 48;
/** One sequence in this many has little room for areas: such sequences are slow. */
const CROWDED = 100;
const ROOM_MAX = 24;
/** One sequence in so many forks; compares smaps; is root's with less than all capabilities. */
const FORKED = 3;
const SMAPS = 4;
const LIMITED = 8;
/** Calls of a process after a fork before it is the other's turn, on average. */
const TURN = 5;

export interface GeneratorOptions {
  /** Calls that both kernels have. */
  readonly calls: ReadonlySet<string>;
  /** Whether the host's process can be root; else none is. */
  readonly mayBePrivileged: boolean;
  /** Of CAP_IPC_LOCK and CAP_SYS_RESOURCE those that the host's root has. */
  readonly capabilities: readonly CapabilityName[];
  /** Whether some sequences are to meet vm.max_map_count. */
  readonly mayBeCrowded: boolean;
}

export function generateSequence(seed: number, options: GeneratorOptions): Sequence {
  const choices = new Choices(makeRandom(seed), options.calls.has('brk'));
  const isCrowded = choices.rarely(CROWDED) && options.mayBeCrowded;
  const isRoot = !choices.rarely(3) && options.mayBePrivileged;
  const isLimited = isRoot && !isCrowded && choices.rarely(LIMITED);
  const privileged = isRoot && !isLimited;
  const theme: Theme = {
    privileged,
    files: !choices.rarely(3),
    // Only without root's rights do the limits matter.
    locks: choices.rarely(privileged ? 3 : 2) && !isCrowded,
    limits: choices.rarely(privileged ? 6 : 2) && !isCrowded,
    seals: choices.rarely(12),
    names: choices.rarely(4) && options.calls.has('prctl'),
    heap: choices.rarely(3),
    advice: !choices.rarely(3),
    forks: choices.rarely(FORKED) && options.calls.has('fork') && !isCrowded,
  };
  const kinds = CALLS.filter(
    ({ call, part }) => options.calls.has(call) && (part === undefined || theme[part]),
  );
  const table = kinds.map((kind) => [kind, kind.weight] as const);
  const ops: Op[] = theme.files && options.calls.has('memfd_create') ? openingFiles(choices) : [];
  const count = OPS_MIN + choices.random(OPS_MAX - OPS_MIN);
  while (ops.length < count) {
    const kind = choices.weigh(table);
    const args = kind.generate(choices, theme);
    const op = { call: kind.call, args };
    ops.push(kind.opens === true ? { ...op, slot: choices.slot() } : op);
  }
  const sequence = { privileged: isRoot, eager: choices.rarely(4), ops };
  if (isCrowded) {
    return { ...sequence, privileged: options.mayBePrivileged, room: choices.random(ROOM_MAX) };
  }
  return {
    ...sequence,
    ...(isLimited && { capabilities: someCapabilities(choices, options.capabilities) }),
    ...(choices.rarely(SMAPS) && { smaps: true }),
    ops: theme.forks ? forking(choices, ops) : ops,
  };
}

/** Some of those that the host's root has. */
function someCapabilities(choices: Choices, all: readonly CapabilityName[]): CapabilityName[] {
  return choices.rarely(2) ? [] : all.filter(() => choices.rarely(2));
}

/**
 * The same calls with a fork among them: of those after it, the child makes about half. The two
 * take turns of a few calls, because on the host each turn waits for the scheduler.
 */
function forking(choices: Choices, ops: readonly Op[]): Op[] {
  const at = 2 + choices.random(ops.length - 2);
  let isChild = choices.rarely(2);
  const after = ops.slice(at).map((op) => {
    if (choices.rarely(TURN)) isChild = !isChild;
    return isChild ? { ...op, child: true } : op;
  });
  return [...ops.slice(0, at), { call: 'fork', args: [] }, ...after];
}

/** A file or two to begin with, so that mappings of files are not all refused. */
function openingFiles(choices: Choices): Op[] {
  const ops: Op[] = [];
  for (let slot = 0; slot < 1 + choices.random(2); slot++) {
    const flags = choices.rarely(2) ? MFD_ALLOW_SEALING : 0;
    ops.push({ call: 'memfd_create', args: [slot, flags], slot });
    const bytes = choices.random(8) * 4096 + choices.pick([0, 0, 1, 100, 4095]);
    ops.push({ call: 'ftruncate', args: [{ base: 'fd', plus: slot }, bytes] });
  }
  if (choices.rarely(3)) ops.push(...openingNamed(choices));
  return ops;
}

/** A named file, and a descriptor of it that may not write. */
function openingNamed(choices: Choices): Op[] {
  const bytes = choices.random(8) * 4096;
  return [
    { call: 'open', args: [0, O_RDWR | O_CREAT], slot: 2 },
    { call: 'ftruncate', args: [{ base: 'fd', plus: 2 }, bytes] },
    { call: 'open', args: [0, O_RDONLY], slot: choices.pick([2, 3]) },
  ];
}
