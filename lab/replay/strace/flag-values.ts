/** What strace prints for flags (`PROT_READ|PROT_WRITE`, `0x4000` and a comment), as numbers. */
import * as MMAN from '../../../shared/abi/mman.ts';
import * as PR from '../../../shared/abi/prctl.ts';
import * as SCHED from '../../../shared/abi/sched.ts';
import { SIGNALS } from '../../../shared/abi/signals.ts';

/** Names that this machine has no use for, with Linux's values. */
const OTHERS: Readonly<Record<string, number>> = {
  NULL: 0,
  MAP_FILE: 0,
  MAP_HUGE_SHIFT: 26,
  MAP_STACK: MMAN.MAP_STACK,
  CLONE_PTRACE: 0x2000,
  CLONE_PARENT: 0x8000,
  CLONE_NEWNS: 0x20000,
  CLONE_UNTRACED: 0x800000,
  CLONE_NEWCGROUP: 0x2000000,
  CLONE_NEWUTS: 0x4000000,
  CLONE_NEWIPC: 0x8000000,
  CLONE_NEWUSER: 0x10000000,
  CLONE_NEWPID: 0x20000000,
  CLONE_NEWNET: 0x40000000,
  CLONE_IO: 2 ** 31,
  CLONE_CLEAR_SIGHAND: 2 ** 32,
  CLONE_INTO_CGROUP: 2 ** 33,
};

const VALUES: ReadonlyMap<string, number> = new Map(
  [MMAN, PR, SCHED, SIGNALS, OTHERS].flatMap((names) =>
    Object.entries(names).filter((pair): pair is [string, number] => typeof pair[1] === 'number'),
  ),
);

/** Texts with their values: few are ever used. */
const KNOWN_MAX = 4096;

export class FlagValues {
  readonly #known = new Map<string, number>();

  /** The value of a text; NaN if it is not understood. Bits above 2^31 are added, not or-ed. */
  of(text: string): number {
    let value = this.#known.get(text);
    if (value === undefined) {
      value = valueOf(text);
      if (this.#known.size < KNOWN_MAX) this.#known.set(text, value);
    }
    return value;
  }
}

function valueOf(text: string): number {
  let sum = 0;
  for (const part of text.replace(/\/\*.*?\*\//g, '').split('|')) {
    const value = valueOfPart(part.trim());
    if (Number.isNaN(value)) return NaN;
    const isHigh = value >= 2 ** 31 || sum >= 2 ** 31 || value < 0;
    sum = isHigh ? sum + value : sum | value;
  }
  return sum;
}

function valueOfPart(part: string): number {
  const shift = /^(\d+)<<(\w+)$/.exec(part);
  if (shift !== null) return Number(shift[1]) * 2 ** valueOfPart(shift[2] as string);
  if (/^-?(?:\d+|0x[0-9a-f]+)$/.test(part)) return Number(part);
  // Octal, as a mode.
  return VALUES.get(part) ?? NaN;
}
