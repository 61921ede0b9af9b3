/*
 * Goal: maps, smaps, status, statm and pagemap are laid out as Linux lays them out and say what is
 * so. Method: one strict parser reads the machine's texts and the host's own /proc; then pages
 * whose state is known are looked up in all five.
 */
import { existsSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';

import { handleFault } from '../../kernel/faults/fault.ts';
import { evictPages } from '../../kernel/reclaim/evict.ts';
import { formatMaps } from '../../kernel/reports/maps.ts';
import { readPagemap } from '../../kernel/reports/pagemap.ts';
import { formatSmaps } from '../../kernel/reports/smaps.ts';
import { formatStatm, formatStatus } from '../../kernel/reports/status.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { memfdCreate } from '../../kernel/syscalls/open.ts';
import { peek } from '../../shared/atomics.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { HEAP_START } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import {
  ANON,
  BASE,
  FREE,
  Kit,
  P,
  R,
  RW,
  SCRATCH,
  SHARED_ANON,
  at,
} from '../fixtures/errno-rules/kit.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';

const NAMES = new Map([[1, 'text\nfile']]);

let k: Kit;
let pid: number;

beforeEach(() => {
  k = new Kit();
  pid = peek(k.t.machine.words, k.proc + PROCESS.PID);
});

const maps = (): string => formatMaps(k.t.cpu, pid, NAMES) as string;
const smaps = (): string => formatSmaps(k.t.cpu, pid, NAMES) as string;
const status = (): string => formatStatus(k.t.cpu, pid, pid) as string;
const statm = (): string => formatStatm(k.t.cpu, pid) as string;

function pagemap(address: number, pages: number): bigint[] {
  const words = readPagemap(k.t.cpu, pid, address / P, pages) as Uint32Array<ArrayBuffer>;
  return [...new BigUint64Array(words.buffer)];
}

// ---- The parser: throws where a byte is not where Linux puts it ---------------------------------

interface MapsLine {
  readonly start: number;
  readonly end: number;
  readonly permissions: string;
  readonly offset: number;
  readonly name: string;
}

const HEX = '([0-9a-f]{8,16})';
const DEVICE = '[0-9a-f]{2,}:[0-9a-f]{2,}';
const MAPS_LINE = new RegExp(`^${HEX}-${HEX} ([r-][w-][x-][ps]) ${HEX} ${DEVICE} \\d+ ( *)(.*)$`);

function parseMapsLine(line: string): MapsLine {
  const match = MAPS_LINE.exec(line);
  if (match === null) throw new Error(`not a line of maps: '${line}'`);
  const [, start = '', end = '', permissions = '', offset = '', blanks = '', name = ''] = match;
  const columns = line.length - name.length;
  if (name !== '' && columns !== Math.max(73, columns - blanks.length + 1)) {
    throw new Error(`the name does not begin at column 73: '${line}'`);
  }
  const [from, to, at0] = [start, end, offset].map((digits) => parseInt(digits, 16));
  return { start: from as number, end: to as number, permissions, offset: at0 as number, name };
}

function lines(text: string): string[] {
  expect(text).toMatch(/\n$/);
  return text.slice(0, -1).split('\n');
}

/** Areas of smaps: their line, fields in order, and flags. */
function parseSmaps(text: string): { line: MapsLine; kib: Map<string, number>; flags: string[] }[] {
  const areas: ReturnType<typeof parseSmaps> = [];
  for (const line of lines(text)) {
    const area = areas.at(-1);
    const size = /^(\w+): +(\d+) kB$/.exec(line);
    const plain = /^(THPeligible|ProtectionKey): +(\d+)$/.exec(line);
    if (area && size && line.length >= 27) area.kib.set(size[1] as string, Number(size[2]));
    else if (area && plain && line.length >= 24) area.kib.set(plain[1] as string, Number(plain[2]));
    else if (area && line.startsWith('VmFlags: ')) {
      expect(line).toMatch(/^VmFlags: (\w\w )+$/);
      area.flags.push(...line.slice(9, -1).split(' '));
    } else areas.push({ line: parseMapsLine(line), kib: new Map(), flags: [] });
  }
  return areas;
}

function parseStatus(text: string): Map<string, string> {
  return new Map(
    lines(text).map((line) => {
      const match = /^(\w+):(?:\t(.*)| (.*))$/.exec(line);
      if (match === null) throw new Error(`not a line of status: '${line}'`);
      const [, name = '', value = ''] = match;
      if (/kB$/.test(value)) expect(value, name).toMatch(/^(?=.{11,}$) *\d+ kB$/);
      return [name, value];
    }),
  );
}

function parseStatm(text: string): number[] {
  expect(text).toMatch(/^\d+( \d+){6}\n$/);
  return text.split(' ').map(Number);
}

/** The area that holds an address, of smaps. */
function areaAt(address: number): ReturnType<typeof parseSmaps>[number] {
  const found = parseSmaps(smaps()).find(({ line }) => line.start <= address && address < line.end);
  if (found === undefined) throw new Error(`no area at ${address}`);
  return found;
}

/** Fields that are not 0, less those that every area has. */
function fields(address: number): Record<string, number> {
  const { kib } = areaAt(address);
  return Object.fromEntries(
    [...kib].filter(([name, value]) => value !== 0 && !/PageSize$|^Size$/.test(name)),
  );
}

// ---- Against the host ---------------------------------------------------------------------------

describe.skipIf(!existsSync('/proc/self/smaps'))("the host's own /proc", () => {
  const host = (name: string): string => readFileSync(`/proc/self/${name}`, 'latin1');

  it('maps: one parser reads both', () => {
    expect(lines(host('maps')).map(parseMapsLine).length).toBeGreaterThan(5);
    k.map(FREE, 2, R, M.MAP_PRIVATE, k.fds.ro, P);
    k.map(FREE + 4 * P, 2, RW, SHARED_ANON);
    expect(lines(maps()).map(parseMapsLine)).toHaveLength(4);
  });

  it('smaps: the same fields in the same order, padded alike', () => {
    const theirs = [...(parseSmaps(host('smaps'))[0]?.kib.keys() ?? [])];
    const ours = [...areaAt(BASE).kib.keys()];
    // Other kernels and other hardware have fewer or more.
    const common = ours.filter((name) => theirs.includes(name));
    expect(common).toEqual(theirs.filter((name) => ours.includes(name)));
    expect(common.length).toBeGreaterThan(15);
    const shape = (text: string): string =>
      lines(text)
        .filter((line) => line.startsWith('Rss:') || line.startsWith('Private_Hugetlb:'))
        .map((line) => line.replace(/ +\d+/, (digits) => '#'.repeat(Math.min(digits.length, 24))))
        .slice(0, 2)
        .join('|');
    expect(shape(smaps())).toBe(shape(host('smaps')));
  });

  it('status: the same lines in the same order', () => {
    const theirs = [...parseStatus(host('status')).keys()];
    const ours = [...parseStatus(status()).keys()];
    const common = ours.filter((name) => theirs.includes(name));
    expect(common).toEqual(theirs.filter((name) => ours.includes(name)));
    expect(ours.filter((name) => !theirs.includes(name)).length).toBeLessThan(4);
    expect(common).toEqual(expect.arrayContaining(['VmPeak', 'RssShmem', 'VmPTE', 'Threads']));
  });

  it('statm: seven numbers', () => {
    expect(parseStatm(host('statm'))).toHaveLength(7);
    expect(parseStatm(statm())).toHaveLength(7);
  });
});

// ---- What they say ------------------------------------------------------------------------------

describe('maps', () => {
  it('is what Linux 6.18 prints, byte for byte', () => {
    k.must(k.sys.mprotect(at(2), P, R));
    k.map(FREE, 2, R, M.MAP_PRIVATE, k.fds.ro, 3 * P);
    k.map(FREE + 4 * P, 2, RW, SHARED_ANON);
    k.map(FREE + 8 * P, 1, 4);
    k.must(k.sys.munmap(SCRATCH, 2 * P));
    const blanks = ' '.repeat(34);
    expect(maps()).toBe(
      [
        '40000000-40002000 rw-p 00000000 00:00 0 ',
        '40002000-40003000 r--p 00000000 00:00 0 ',
        '40003000-40008000 rw-p 00000000 00:00 0 ',
        `60000000-60002000 r--p 00003000 00:02 1${blanks}text\\012file`,
        `60004000-60006000 rw-s 00000000 00:01 3${blanks}/dev/zero (deleted)`,
        '60008000-60009000 --xp 00000000 00:00 0 ',
        '',
      ].join('\n'),
    );
    expectClean(k.t);
  });

  it('keeps the file offset of what is split', () => {
    k.map(FREE, 8, R, M.MAP_SHARED, k.fds.ro, 3 * P);
    k.must(k.sys.munmap(FREE + 2 * P, P));
    const parts = lines(maps()).map(parseMapsLine);
    const offsets = parts.filter(({ start }) => start >= FREE).map(({ offset }) => offset / P);
    expect(offsets).toEqual([3, 6]);
  });

  it('calls what overlaps the heap so', () => {
    k.must(k.sys.brk(HEAP_START + 3 * P));
    expect(lines(maps())[0]).toBe(
      '10000000-10003000 rw-p 00000000 00:00 0                                  [heap]',
    );
  });

  it('knows no process that has ended', () => {
    const child = createProcess(k.t.cpu, { name: 'ended\n', cpu: 0, parent: pid });
    exitProcess(k.t.cpu, child, 0, 0, 0);
    for (const format of [formatMaps, formatSmaps]) {
      expect(format(k.t.cpu, child, NAMES)).toBeNull();
    }
    expect(formatStatm(k.t.cpu, child)).toBeNull();
    expect(readPagemap(k.t.cpu, child, 0, 1)).toBeNull();
    const zombie = parseStatus(formatStatus(k.t.cpu, child, child) as string);
    expect([zombie.get('Name'), zombie.get('State')]).toEqual(['ended\\n', 'Z (zombie)']);
    expect(zombie.has('VmSize')).toBe(false);
    releaseProcess(k.t.cpu, child);
    expect(formatStatus(k.t.cpu, child, child)).toBeNull();
    expectClean(k.t);
  });
});

describe('smaps', () => {
  it('has a block as Linux 6.18 prints it', () => {
    k.write(at(1), 1);
    k.touch(at(2));
    const [first = ''] = smaps().split('50000000-');
    expect(first).toBe(
      [
        '40000000-40008000 rw-p 00000000 00:00 0 ',
        'Size:                 32 kB',
        'KernelPageSize:        4 kB',
        'MMUPageSize:           4 kB',
        'Rss:                   4 kB',
        'Pss:                   4 kB',
        'Pss_Dirty:             4 kB',
        'Shared_Clean:          0 kB',
        'Shared_Dirty:          0 kB',
        'Private_Clean:         0 kB',
        'Private_Dirty:         4 kB',
        'Referenced:            4 kB',
        'Anonymous:             4 kB',
        'KSM:                   0 kB',
        'LazyFree:              0 kB',
        'AnonHugePages:         0 kB',
        'ShmemPmdMapped:        0 kB',
        'FilePmdMapped:         0 kB',
        'Shared_Hugetlb:        0 kB',
        'Private_Hugetlb:       0 kB',
        'Swap:                  0 kB',
        'SwapPss:               0 kB',
        'Locked:                0 kB',
        'THPeligible:           0',
        'VmFlags: rd wr mr mw me ac ',
        '',
      ].join('\n'),
    );
  });

  it('counts no zero page', () => {
    for (let page = 0; page < 8; page++) k.touch(at(page));
    expect(fields(BASE)).toEqual({});
  });

  it('divides what is mapped twice', () => {
    k.map(FREE, 2, RW, SHARED_ANON);
    k.write(FREE, 1);
    expect(fields(FREE)).toEqual({ Rss: 4, Pss: 4, Pss_Dirty: 4, Private_Dirty: 4, Referenced: 4 });
    k.must(k.sys.mremap(FREE, 0, 2 * P, 3, FREE + 8 * P));
    k.touch(FREE + 8 * P);
    const halved = { Rss: 4, Pss: 2, Pss_Dirty: 2, Shared_Dirty: 4, Referenced: 4 };
    expect(fields(FREE)).toEqual(halved);
    expect(parseSmaps(smaps()).at(-1)?.kib.get('Pss')).toBe(2);
    expectClean(k.t);
  });

  it('tells pages of a file from copies of them', () => {
    k.map(FREE, 4, RW, M.MAP_PRIVATE, k.fds.ro);
    k.touch(FREE);
    k.write(FREE + P, 1);
    expect(fields(FREE)).toEqual({
      Rss: 8,
      Pss: 8,
      Pss_Dirty: 4,
      Private_Clean: 4,
      Private_Dirty: 4,
      Referenced: 8,
      Anonymous: 4,
    });
  });

  it('counts locked pages by their share', () => {
    k.must(k.sys.mlock(BASE, 8 * P));
    expect(fields(BASE)).toMatchObject({ Rss: 32, Locked: 32 });
  });

  const flags: [string, string, () => number][] = [
    ['private, read-only', 'rd mr mw me', () => (k.map(FREE, 1, R), FREE)],
    ['no access', 'mr mw me', () => (k.map(FREE, 1, 0), FREE)],
    ['shared', 'rd wr sh mr mw me ms', () => (k.map(FREE, 1, RW, SHARED_ANON), FREE)],
    [
      'shared and open for reading',
      'rd mr me ms',
      () => (k.map(FREE, 1, R, M.MAP_SHARED, k.fds.ro), FREE),
    ],
    [
      'shared, of a file sealed against writing',
      'rd sh mr me ms',
      () => {
        const fd = k.must(memfdCreate(k.t.cpu, k.proc, 1, M.MFD_ALLOW_SEALING));
        k.must(k.sys.fcntl(fd, M.F_ADD_SEALS, M.F_SEAL_FUTURE_WRITE));
        return (k.map(FREE, 1, R, M.MAP_SHARED, fd), FREE);
      },
    ],
    ['NORESERVE', 'rd wr mr mw me nr', () => (k.map(FREE, 1, RW, ANON | M.MAP_NORESERVE), FREE)],
    ['GROWSDOWN', 'rd wr mr mw me gd ac', () => (k.map(FREE, 1, RW, ANON | M.MAP_GROWSDOWN), FREE)],
    ['STACK', 'rd wr mr mw me ac nh', () => (k.map(FREE, 1, RW, ANON | M.MAP_STACK), FREE)],
    ['LOCKED', 'rd wr mr mw me lo ac', () => (k.map(FREE, 1, RW, ANON | M.MAP_LOCKED), FREE)],
    [
      'droppable',
      'rd wr mr mw me nr wf dd dp',
      () => (k.map(FREE, 1, RW, M.MAP_ANONYMOUS | 8), FREE),
    ],
    ['locked on fault', 'rd wr mr mw me lo lf ac', () => (k.must(k.sys.mlock2(BASE, P, 1)), BASE)],
    ['sealed', 'rd mr mw me sl', () => (k.map(FREE, 1, R), k.must(k.sys.mseal(FREE, P)), FREE)],
    ['RANDOM', 'rd wr mr mw me rr ac', () => advised(M.MADV_RANDOM)],
    ['SEQUENTIAL', 'rd wr mr mw me sr ac', () => advised(M.MADV_SEQUENTIAL)],
    ['DONTFORK', 'rd wr mr mw me dc ac', () => advised(M.MADV_DONTFORK)],
    ['WIPEONFORK', 'rd wr mr mw me ac wf', () => advised(M.MADV_WIPEONFORK)],
    ['HUGEPAGE', 'rd wr mr mw me ac hg', () => advised(M.MADV_HUGEPAGE)],
    ['NOHUGEPAGE', 'rd wr mr mw me ac nh', () => advised(M.MADV_NOHUGEPAGE)],
    ['MERGEABLE', 'rd wr mr mw me ac mg', () => advised(M.MADV_MERGEABLE)],
    ['DONTDUMP', 'rd wr mr mw me ac dd', () => advised(M.MADV_DONTDUMP)],
    ['guards', 'rd wr mr mw me gu ac', () => advised(M.MADV_GUARD_INSTALL)],
    [
      'a device',
      'rd wr sh mr mw me ms pf io de dd',
      () => (k.map(FREE, 1, RW, 1, k.fds.device), FREE),
    ],
  ];
  function advised(advice: number): number {
    k.must(k.sys.madvise(BASE, P, advice));
    return BASE;
  }
  it.each(flags)('VmFlags of %s', (_what, expected, prepare) => {
    expect(areaAt(prepare()).flags.join(' ')).toBe(expected);
  });
});

describe('status and statm', () => {
  it('add up what there is', () => {
    k.write(at(0), 1);
    k.write(at(1), 1);
    k.touch(at(2));
    k.map(FREE, 4, R, M.MAP_PRIVATE, k.fds.ro);
    k.touch(FREE);
    k.map(FREE + 8 * P, 4, RW, SHARED_ANON);
    k.write(FREE + 8 * P, 1);
    k.map(FREE + 16 * P, 3, 5);
    k.map(FREE + 2048 * P, 2, RW, ANON | M.MAP_GROWSDOWN);
    k.must(k.sys.mlock2(at(6), 2 * P, 1));
    k.map(FREE + 3000 * P, 20, R);
    k.must(k.sys.munmap(FREE + 3000 * P, 20 * P));
    // 8 + 2 + 4 + 4 + 3 + 2 pages; at the peak 20 more.
    expect(statm()).toBe('23 4 2 0 0 12 0\n');
    const got = parseStatus(status());
    const kib = (name: string): number => Number(got.get(name)?.replace(' kB', ''));
    expect(
      Object.fromEntries(
        [...got.keys()].filter((n) => /^(Vm|Rss)/.test(n)).map((n) => [n, kib(n)]),
      ),
    ).toEqual({
      VmPeak: 172,
      VmSize: 92,
      VmLck: 8,
      VmPin: 0,
      VmHWM: 16,
      VmRSS: 16,
      RssAnon: 8,
      RssFile: 4,
      RssShmem: 4,
      VmData: 40,
      VmStk: 8,
      VmExe: 0,
      VmLib: 12,
      VmPTE: expect.any(Number) as number,
      VmSwap: 0,
    });
    expect(kib('VmPTE')).toBeGreaterThan(0);
    expect([got.get('Name'), got.get('Pid'), got.get('Threads')]).toEqual(['test', `${pid}`, '1']);
    expect(status()).toContain('VmSize:\t      92 kB\n');
    const all = '0000000001a84000';
    expect([got.get('CapPrm'), got.get('CapEff')]).toEqual([all, all]);
    k.keepCapabilities(['CAP_IPC_LOCK']);
    expect(status()).toContain('CapEff:\t0000000000004000\n');
    expectClean(k.t);
  });
});

describe('pagemap', () => {
  const PRESENT = 1n << 63n;
  const FILE = 1n << 61n;
  const EXCLUSIVE = 1n << 56n;
  const PFN = (1n << 55n) - 1n;

  it('tells what each page is', () => {
    k.write(at(0), 1);
    k.touch(at(1));
    k.write(at(3), 1);
    k.must(k.sys.mprotect(at(3), P, 0));
    const [own = 0n, zero, untouched, none = 0n] = pagemap(BASE, 4);
    expect([own & ~PFN, zero, untouched, none & ~PFN]).toEqual([
      PRESENT | EXCLUSIVE,
      PRESENT,
      0n,
      PRESENT | EXCLUSIVE,
    ]);
    expect(k.t.machine.frameBytes[Number(own & PFN) * P]).toBe(1);
  });

  it('tells shared pages and pages of files', () => {
    k.map(FREE, 2, RW, SHARED_ANON);
    k.write(FREE, 1);
    expect((pagemap(FREE, 1)[0] ?? 0n) & ~PFN).toBe(PRESENT | FILE | EXCLUSIVE);
    k.must(k.sys.mremap(FREE, 0, 2 * P, 3, FREE + 8 * P));
    k.touch(FREE + 8 * P);
    expect((pagemap(FREE, 1)[0] ?? 0n) & ~PFN).toBe(PRESENT | FILE);
    expect(pagemap(FREE + 8 * P, 1)).toEqual(pagemap(FREE, 1));
    k.map(FREE + 16 * P, 2, RW, M.MAP_PRIVATE, k.fds.ro);
    k.touch(FREE + 16 * P);
    k.write(FREE + 17 * P, 1);
    expect(pagemap(FREE + 16 * P, 2).map((entry) => entry & ~PFN)).toEqual([
      PRESENT | FILE | EXCLUSIVE,
      PRESENT | EXCLUSIVE,
    ]);
  });

  it('marks guards as Linux does', () => {
    k.must(k.sys.madvise(at(1), P, M.MADV_GUARD_INSTALL));
    expect(pagemap(at(1), 1)).toEqual([0x4400_0000_0000_009fn]);
  });
});

describe('a page in swap', () => {
  it('is neither resident nor lost: smaps, status and pagemap name it', () => {
    const t = testMachine({ frames: 1024, swapSlots: 16 });
    const process = testProcess(t);
    const base = sysMmap(t.cpu, process.proc, BASE, 2 * P, RW, ANON | M.MAP_FIXED, -1, 0);
    for (const page of [0, 1]) handleFault(t.cpu, process.space, base / P + page, true);
    // Nobody writes it to a store, so the slot keeps the frame: swapped all the same.
    expect(evictPages(t.cpu, process.space, [base / P]).pages).toBe(1);
    const text = formatSmaps(t.cpu, process.pid, NAMES) as string;
    const { kib } = parseSmaps(text)[0] as ReturnType<typeof parseSmaps>[number];
    expect([kib.get('Rss'), kib.get('Swap'), kib.get('SwapPss')]).toEqual([4, 4, 4]);
    const status = parseStatus(formatStatus(t.cpu, process.pid, process.pid) as string);
    expect([status.get('VmRSS'), status.get('VmSwap')]).toEqual(['       4 kB', '       4 kB']);
    const words = readPagemap(t.cpu, process.pid, base / P, 1) as Uint32Array<ArrayBuffer>;
    // Bit 62, swap type 0, slot 1.
    expect(new BigUint64Array(words.buffer)[0]).toBe((1n << 62n) | (1n << 5n));
    expectClean(t);
  });
});
