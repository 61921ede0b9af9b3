/*
 * Goal: the audit sees every class of damage. Method: a machine with every kind of object in it is
 * clean; then one word is damaged by hand, and the audit must say exactly what is wrong with it.
 */
import { beforeEach, describe, expect, it } from 'vitest';

import { audit } from '../../kernel/audit/audit.ts';
import { attachCpu } from '../../kernel/machine/cpu.ts';
import { openFd } from '../../kernel/objects/fd.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { FAULT_DONE } from '../../kernel/machine/fault-codes.ts';
import { allocFrame } from '../../kernel/frames/frames.ts';
import { frameField, frameWord } from '../../kernel/machine/machine.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { walk } from '../../kernel/mmu/walk.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import { beginPageIn, finishPageIn } from '../../kernel/faults/page-in.ts';
import { recordAt } from '../../kernel/objects/record.ts';
import { entryAt, peekEntry } from '../../kernel/paging/table.ts';
import { tlbAudit } from '../../kernel/mmu/tlb-sync.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as AREA from '../../shared/layout/area.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE, SPAN_PAGES } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const RW = M.PROT_READ | M.PROT_WRITE;
const FIXED_ANON = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED;
/** First pages of the areas: anonymous, shared, and a private file. All in one leaf table. */
const [ANON, SHARED, FILE, EMPTY] = [SPAN_PAGES, SPAN_PAGES + 8, SPAN_PAGES + 16, SPAN_PAGES + 32];

let t: TestMachine;
let proc: number;
let space: number;
let object: number;

/** Three areas of four pages, the first two pages of each resident; a table in limbo. */
beforeEach(() => {
  t = testMachine();
  ({ proc, space } = testProcess(t));
  const { cpu } = t;
  const spec = { kind: OBJECT.FILE, size: 4 * PAGE_SIZE, host: 1, writable: true };
  object = createObject(cpu, spec);
  for (let page = 0; page < 2; page++) {
    expect(finishPageIn(cpu, object, page, beginPageIn(cpu))).toBe(true);
  }
  const fd = openFd(cpu, proc, object, M.O_RDWR);
  putObject(cpu, object);
  map(ANON, FIXED_ANON, -1);
  map(SHARED, M.MAP_SHARED | M.MAP_ANONYMOUS | M.MAP_FIXED, -1);
  map(FILE, M.MAP_PRIVATE | M.MAP_FIXED, fd);
  for (const vpn of [ANON, SHARED, FILE]) {
    // Anonymous pages are written: one that was only read has no frame.
    const write = vpn !== FILE;
    expect(handleFault(cpu, space, vpn, write)).toBe(FAULT_DONE);
    expect(handleFault(cpu, space, vpn + 1, write)).toBe(FAULT_DONE);
  }
  map(8 * SPAN_PAGES, FIXED_ANON, -1);
  expect(sysMunmap(cpu, proc, 8 * SPAN_PAGES * PAGE_SIZE, 4 * PAGE_SIZE)).toBe(0);
  expect(peek(cpu.words, cpu.base + CPU.LIMBO_COUNT)).toBe(1);
});

function map(vpn: number, flags: number, fd: number): void {
  const at = vpn * PAGE_SIZE;
  expect(sysMmap(t.cpu, proc, at, 4 * PAGE_SIZE, RW, flags, fd, 0)).toBe(at);
}

function leafAt(vpn: number): number {
  const { machine, words } = t.cpu;
  const level1 = pte.pfnOf(peek(words, entryAt(machine, peek(words, space + SPACE.ROOT), 2, vpn)));
  const level0 = pte.pfnOf(peek(words, entryAt(machine, level1, 1, vpn)));
  return entryAt(machine, level0, 0, vpn);
}

function tableOf(vpn: number): number {
  return Math.floor((leafAt(vpn) - t.machine.frameBase) / 1024);
}

/** Changes a word, audits, and puts the word back. */
function damage(at: number, change: (old: number) => number): readonly string[] {
  const { words } = t.cpu;
  const old = peek(words, at);
  poke(words, at, change(old));
  const { violations } = audit(t.cpu);
  poke(words, at, old);
  expect(audit(t.cpu).violations).toEqual([]);
  return violations;
}

function field(pfn: number, name: number): number {
  return frameField(t.machine, pfn, name);
}

/** All violations match the patterns, and each pattern is met. */
function expectOnly(violations: readonly string[], ...patterns: RegExp[]): void {
  for (const pattern of patterns) {
    expect(
      violations.filter((one) => pattern.test(one)),
      `${pattern}`,
    ).not.toEqual([]);
  }
  const other = violations.filter((one) => !patterns.some((pattern) => pattern.test(one)));
  expect(other).toEqual([]);
}

it('finds nothing in a clean machine, having looked at all of it', () => {
  const { violations, checked } = audit(t.cpu);
  expect(violations).toEqual([]);
  expect(checked).toMatchObject({
    frames: 4095,
    spaces: 1,
    areas: 3,
    tables: 3,
    residentPages: 6,
    records: 2,
    objects: 2,
    retiredTables: 1,
  });
});

describe('entries', () => {
  const pfn = (vpn: number) => pte.pfnOf(peekEntry(t.cpu, space, vpn));

  it('an entry to a free frame', () => {
    const free = peek(t.cpu.words, BOOT.FREE_HEADS + 10);
    const found = damage(leafAt(ANON), (old) => (old & 0xfff) | (free << 12));
    expectOnly(found, new RegExp(`frame ${free} has state 1`), /frame \d+: count 1, but 0 entries/);
  });

  it('an entry beyond memory', () => {
    const found = damage(leafAt(ANON), (old) => (old & 0xfff) | (0xfffff << 12));
    expectOnly(found, /frame 1048575 has state -1/, /count 1, but 0 entries/);
  });

  it('a frame mapped twice', () => {
    const found = damage(leafAt(ANON), (old) => (old & 0xfff) | (pfn(ANON + 1) << 12));
    expectOnly(found, /count 1, but 0 entries/, /count 1, but 2 entries/);
  });

  it('an entry outside every area', () => {
    const found = damage(leafAt(EMPTY), () => pte.makeReserved(pte.RESERVED_LAZY, 0, 6, false));
    expectOnly(found, /outside every area/);
  });

  it('a page of an area without an entry', () => {
    expectOnly(
      damage(leafAt(ANON + 3), () => 0),
      /mapped by an area but empty/,
    );
  });

  it('a permission that is not the area’s', () => {
    expectOnly(
      damage(leafAt(ANON), (old) => old & ~pte.PTE_W),
      /allows other than its area/,
    );
    expectOnly(
      damage(leafAt(ANON + 3), (old) => old | pte.PTE_X),
      /allows other than its area/,
    );
  });

  it('a COW entry that is writable', () => {
    expect(peekEntry(t.cpu, space, FILE) & pte.PTE_COW).toBe(pte.PTE_COW);
    expectOnly(
      damage(leafAt(FILE), (old) => old | pte.PTE_W),
      /COW entry is writable or shared/,
    );
  });

  it('a zero page that is writable', () => {
    expect(handleFault(t.cpu, space, ANON + 2, false)).toBe(FAULT_DONE);
    expectOnly(
      damage(leafAt(ANON + 2), (old) => (old & ~pte.PTE_COW) | pte.PTE_W),
      /zero page is writable/,
    );
  });

  it('a zero page in a file’s mapping', () => {
    expectOnly(
      damage(leafAt(FILE + 2), () => pte.makeLeaf(0, pte.PTE_R | pte.PTE_COW)),
      /zero page is writable or not anonymous/,
    );
  });

  it('a wrong shared bit', () => {
    expectOnly(
      damage(leafAt(SHARED), (old) => old & ~pte.PTE_SHARED),
      /shared bit/,
    );
  });

  it('a reserved entry of another record or kind', () => {
    expectOnly(
      damage(leafAt(SHARED + 3), (old) => old ^ (3 << 10)),
      /record \d+, its area has/,
    );
    expectOnly(
      damage(leafAt(ANON + 3), (old) => old | (1 << 5)),
      /reserved kind 1, its area needs 0/,
    );
  });

  it('a shared page that is not its object’s', () => {
    const [one, two] = [leafAt(SHARED), leafAt(SHARED + 1)];
    const { words } = t.cpu;
    const [first, second] = [peek(words, one), peek(words, two)];
    poke(words, one, second);
    poke(words, two, first);
    expectOnly(audit(t.cpu).violations, /is not page \d of its object/);
  });
});

describe('frames', () => {
  it('a frame that leaked', () => {
    const leaked = allocFrame(t.cpu, FRAME.USED);
    expectOnly(audit(t.cpu).violations, new RegExp(`frame ${leaked}: count 1, but 0 entries`));
    expect(audit(t.cpu, { heldFrames: [leaked] }).violations).toEqual([]);
  });

  it('finds a word that is no field of its block', () => {
    expect(damage(space + SPACE.WORDS - 1, () => 5)).toEqual([
      expect.stringMatching(/^space \d+\.\d+ \+127 is of no field, but holds 5$/),
    ]);
    expect(damage(t.cpu.base + CPU.WORDS - 1, () => -1)).toEqual([
      'cpu 0 +255 is of no field, but holds -1',
    ]);
  });

  it.each([
    ['table', FRAME.TABLE],
    ['kernel', FRAME.KERNEL],
    ['retired', FRAME.RETIRED],
  ])('a %s frame that nothing leads to', (name, state) => {
    allocFrame(t.cpu, state);
    expectOnly(audit(t.cpu).violations, new RegExp(`${name} frame \\d+ leaked`));
  });

  it('a wrong count', () => {
    const pfn = pte.pfnOf(peekEntry(t.cpu, space, ANON));
    expectOnly(
      damage(field(pfn, FRAME.COUNT), () => 2),
      /count 2, but 1 entries/,
    );
  });

  it('a broken back link of a free list', () => {
    const head = peek(t.cpu.words, BOOT.FREE_HEADS + 10);
    expectOnly(
      damage(field(head, FRAME.AUX), () => 77),
      /order 10: broken back link/,
    );
  });

  it('a free list that runs in a circle', () => {
    const head = peek(t.cpu.words, BOOT.FREE_HEADS + 10);
    let last = head;
    for (let next = last; next !== 0; next = peek(t.cpu.words, field(last, FRAME.LINK)))
      last = next;
    expectOnly(
      damage(field(last, FRAME.LINK), () => head),
      /order 10 runs in a circle/,
    );
  });

  it('a free block cut off its list, and a wrong counter', () => {
    const heads = [...Array(10).keys()].map((order) => BOOT.FREE_HEADS + order);
    const at = heads.find((head) => peek(t.cpu.words, head) !== 0) as number;
    const found = damage(at, () => 0);
    expectOnly(found, /free frames: counter/, /is in no list/);
    expectOnly(
      damage(BOOT.FREE_FRAMES, (old) => old + 1),
      /free frames: counter/,
    );
  });

  it('a frame in two places', () => {
    const { cpu } = t;
    const cached = peek(cpu.words, cpu.base + CPU.CACHE);
    const found = damage(cpu.base + CPU.CACHE + 1, () => cached);
    const sum = /free \+ \d+ cached/;
    expectOnly(found, /two places, the second is the cache/, /cached but is in no list/, sum);
  });

  it('a frame in the cache with another state', () => {
    const cached = peek(t.cpu.words, t.cpu.base + CPU.CACHE);
    const found = damage(field(cached, FRAME.STATE), () => FRAME.USED);
    expectOnly(found, /cached frame \d+ has state 3/, /but 0 entries/, /free \+ \d+ cached/);
  });

  it('a frame in use whose state says that it is free', () => {
    const pfn = pte.pfnOf(peekEntry(t.cpu, space, ANON));
    const found = damage(field(pfn, FRAME.STATE), () => FRAME.FREE);
    expectOnly(found, /has state 0/, /has state free but is in no list/);
  });

  it('a limbo list that does not match its counter', () => {
    expectOnly(
      damage(t.cpu.base + CPU.LIMBO_COUNT, () => 5),
      /limbo of CPU 0: counter 5, list 1/,
    );
  });

  it('a slab frame with a wrong count', () => {
    const pfn = Math.floor((space - t.machine.frameBase) / 1024);
    expectOnly(
      damage(field(pfn, FRAME.COUNT), (old) => old + 1),
      /slab frame \d+: count 2, live 1/,
    );
  });
});

describe('tables', () => {
  it('a stray table that is linked', () => {
    const at = field(tableOf(ANON), FRAME.STATE);
    expectOnly(
      damage(at, (old) => old | FRAME.STRAY),
      /stray but linked/,
    );
  });

  it('a table of the wrong level', () => {
    const at = field(tableOf(ANON), FRAME.STATE);
    const found = damage(at, (old) => old | (1 << FRAME.LEVEL_SHIFT));
    expect(found.join()).toMatch(/table \d+ at level 0 is no such table/);
  });

  it('a table linked twice', () => {
    const { machine, words } = t.cpu;
    const root = peek(words, space + SPACE.ROOT);
    const entry = peek(words, entryAt(machine, root, 2, ANON));
    const found = damage(frameWord(machine, root) + 900, () => entry);
    expect(found.join()).toMatch(/is in two places, the second is level 1 of space/);
  });

  it('wrong counters', () => {
    expectOnly(
      damage(space + SPACE.TABLES, (old) => old + 1),
      /counts 4 tables, has 3/,
    );
    expectOnly(
      damage(space + SPACE.RESIDENT, (old) => old - 1),
      /counts 5 resident pages, has 6/,
    );
  });

  it('held locks', () => {
    const held: [number, RegExp][] = [
      [field(tableOf(ANON), FRAME.AUX), /table \d+: lock held 0x1/],
      [space + SPACE.AREA_LOCK, /area lock held/],
      [space + SPACE.RW_LOCK, /rw lock held/],
      [BOOT.BUDDY_LOCK, /BOOT\.BUDDY_LOCK held/],
      [BOOT.SLAB_LOCK, /BOOT\.SLAB_LOCK held/],
      [BOOT.RECORD_LOCK, /BOOT\.RECORD_LOCK held/],
      [BOOT.PROC_LOCK, /BOOT\.PROC_LOCK held/],
      [BOOT.SWAP_LOCK, /BOOT\.SWAP_LOCK held/],
    ];
    for (const [at, pattern] of held)
      expectOnly(
        damage(at, () => 1),
        pattern,
      );
  });
});

describe('areas, records, objects', () => {
  const root = () => peek(t.cpu.words, space + SPACE.AREA_ROOT);

  it('areas that overlap', () => {
    const found = damage(nodeOf(ANON) + AREA.END, () => SHARED + 1);
    expect(found.join()).toMatch(/overlap/);
  });

  it('areas that should be one', () => {
    map(EMPTY, FIXED_ANON, -1);
    map(EMPTY + 8, FIXED_ANON, -1);
    const found = damage(nodeOf(EMPTY) + AREA.END, () => EMPTY + 8);
    expect(found.join()).toMatch(/should be one/);
    expect(found.join()).toMatch(/mapped by an area but empty/);
  });

  it('a wrong number of areas', () => {
    expectOnly(
      damage(space + SPACE.AREA_COUNT, () => 9),
      /the set counts 9 areas but has 3/,
    );
    expect(root()).not.toBe(0);
  });

  it('a record with a wrong count', () => {
    const id = pte.reservedRecord(peekEntry(t.cpu, space, SHARED + 3));
    const at = recordAt(t.machine, id) + RECORD.REFS;
    expectOnly(
      damage(at, (old) => old + 1),
      /record \d+: 2 references, 1 areas/,
    );
    expectOnly(
      damage(BOOT.RECORD_LIVE, (old) => old + 1),
      /records: counter 3, live 2/,
    );
  });

  it('an object with a wrong count', () => {
    expectOnly(
      damage(object + OBJECT.REFS, (old) => old + 1),
      /file object \d+: 3 references, 2/,
    );
  });

  it('a space with a wrong count', () => {
    expectOnly(
      damage(space + SPACE.REFS, (old) => old + 1),
      /space \d+: 2 references, 1 processes/,
    );
  });

  function nodeOf(vpn: number): number {
    const { words } = t.cpu;
    for (let at = root(); at !== 0;) {
      const start = peek(words, at + AREA.START);
      if (start === vpn) return at;
      at = peek(words, at + (vpn < start ? AREA.LEFT : AREA.RIGHT));
    }
    throw new Error('no such area');
  }
});

describe('TLBs', () => {
  it('a translation that the tables do not have', () => {
    const cpu = attachCpu(t.machine, 1);
    cpu.tlb.space = space;
    cpu.tlb.spaceId = peek(cpu.words, space + SPACE.ID);
    cpu.tlb.generation = peek(cpu.words, space + SPACE.TLB_GEN);
    expect(walk(cpu, cpu.tlb, ANON, true)).toBe(true);
    expect(walk(cpu, cpu.tlb, SHARED, false)).toBe(true);
    expect(tlbAudit(cpu, cpu.tlb)).toEqual([]);
    const at = leafAt(ANON);
    const entry = peek(cpu.words, at);
    const worse = [0, entry & ~pte.PTE_W, entry & ~pte.PTE_D, entry & ~pte.PTE_V, entry ^ 0x3000];
    for (const other of worse) {
      poke(cpu.words, at, other);
      expect(tlbAudit(cpu, cpu.tlb)).toEqual([ANON]);
    }
    poke(cpu.words, at, entry);
    expect(tlbAudit(cpu, cpu.tlb)).toEqual([]);
    // What a shootdown covers is no violation: the CPU applies it before its next access.
    expect(sysMunmap(t.cpu, proc, ANON * PAGE_SIZE, PAGE_SIZE)).toBe(0);
    expect(tlbAudit(cpu, cpu.tlb)).toEqual([]);
  });
});
