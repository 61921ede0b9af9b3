/** Page tables, TLBs and modes of a machine at moments of an execution, as tables of text. */
import * as CPU from '../../../shared/layout/cpu.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { Subject } from '../engine/subject.ts';
import type { MachineView } from './machine-view.ts';
import { rangeName } from '../model/page-names.ts';
import type { Listing, MachineState } from './story.ts';
import { frameOf } from './word-labels.ts';
import { describeEntry, describeMode } from './word-value.ts';

/** Rows of a table; operations on large ranges have hundreds. */
const ROWS_MAX = 16;
/** Stands for an entry that is nowhere. */
const EMPTY = 'empty';

/** Entries by 'first page, pages'. */
type Entries = ReadonlyMap<string, string>;

interface Snapshot {
  readonly modes: readonly string[];
  /** By owner of the space. */
  readonly tables: ReadonlyMap<string, Entries>;
  readonly tlbs: readonly Entries[];
}

export class Snapshots {
  readonly #subject: Subject;
  readonly #taken: Snapshot[] = [];

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** Index of the one that is taken next. */
  get next(): number {
    return this.#taken.length;
  }

  take(view: MachineView): void {
    const { world, words } = this.#subject;
    const tables = new Map<string, Entries>();
    for (const { owner, entries } of view.spaces) {
      const rows = entries.map(({ startVpn, pages, entry }): [string, string] => {
        return [`${startVpn},${pages}`, describeEntry(entry)];
      });
      tables.set(owner, new Map(rows));
    }
    const modes = world.cpus.map(({ base }) => {
      return describeMode(world.machine, view, words[base + CPU.MODE] as number);
    });
    this.#taken.push({ modes, tables, tlbs: world.cpus.map((_, id) => this.#tlbOf(id)) });
  }

  /** All of them, with the same rows in each, so that a change is seen in its place. */
  states(): MachineState[] {
    const owners = unionOf(this.#taken.map(({ tables }) => [...tables.keys()]));
    const tables = owners.map((owner) =>
      listings(
        `Page table of ${owner}`,
        this.#taken.map((taken) => taken.tables.get(owner) ?? new Map<string, string>()),
      ),
    );
    const tlbs = this.#subject.world.cpus.map((_, id) =>
      listings(
        `TLB of CPU ${id}`,
        this.#taken.map((taken) => taken.tlbs[id] as Entries),
      ),
    );
    return this.#taken.map(({ modes }, index) => ({
      modes,
      tables: tables.map((all) => all[index] as Listing),
      tlbs: tlbs.map((all) => all[index] as Listing),
    }));
  }

  #tlbOf(id: number): Entries {
    const { world } = this.#subject;
    const { tlb } = world.cpus[id]!;
    const rows = new Map<string, string>();
    for (let i = 0; i < tlb.filledCount; i++) {
      const slot = tlb.filled[i] as number;
      const base = tlb.readBase[slot] as number;
      if (!(base >= 0)) continue;
      const rights = (tlb.writeBase[slot] as number) === base ? 'read/write' : 'read only';
      const frame = frameOf(world.machine, tlb.frameAt[slot] as number);
      rows.set(
        `${base / PAGE_SIZE},1`,
        `${frame === 0 ? 'zero page' : `frame ${frame}`}, ${rights}`,
      );
    }
    return rows;
  }
}

function unionOf(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}

/** One table at each moment. Neighbours that are always alike make one row. */
function listings(title: string, all: readonly Entries[]): Listing[] {
  const keys = unionOf(all.map((entries) => [...entries.keys()]))
    .map((key) => key.split(',').map(Number) as [number, number])
    .sort(([vpn, pages], [otherVpn, otherPages]) => vpn - otherVpn || otherPages - pages);
  const rows: { vpn: number; pages: number; texts: readonly string[] }[] = [];
  for (const [vpn, pages] of keys) {
    const texts = all.map((entries) => entries.get(`${vpn},${pages}`) ?? EMPTY);
    const last = rows[rows.length - 1];
    const isAlike = last?.texts.every((text, i) => text === texts[i] && !/^frame/.test(text));
    if (last !== undefined && isAlike === true && last.vpn + last.pages === vpn)
      last.pages += pages;
    else rows.push({ vpn, pages, texts });
  }
  const shown = rows.slice(0, ROWS_MAX);
  return all.map((_, i) => ({
    title,
    rows: [
      ...shown.map(({ vpn, pages, texts }) => [rangeName(vpn, pages), texts[i] ?? ''] as const),
      ...(rows.length > shown.length ? [['…', `${rows.length - shown.length} more`] as const] : []),
    ],
  }));
}
