/**
 * Goal: a user's MappingBackend works inside a running machine, and no mistake of it does more than
 * fail one call. Method: backends as modules, programs that use them in every way, and the audit.
 */
import { boot } from 'faultline';
import type { MachineHandle, Proc } from 'faultline';
import { expect, it } from 'vitest';
import { module, program, start, threads } from '../support/worker-programs.ts';

/** A backend that maps page by page as a file is, but for what `methods` does otherwise. */
function backend(methods: string, before = ''): string {
  return module(`${before}
    const PAGE = 4096;
    const linear = {
      sizeBytes: 16 * PAGE,
      map(start, size, prot, pt) {
        for (let at = start; at < start + size; at += PAGE) {
          if (!pt.map(at, pt.pageAt(at))) return false;
        }
        return true;
      },
      unmap: (start, size, pt) => pt.clear(start, size),
      protect: (start, size, prot, pt) => pt.protect(start, size, prot),
      clone() { return this; },
    };
    const made = { ...linear, ${methods} };
    const again = (...args) => made.map(...args);
    export default made;`);
}

async function expectSound(machine: MachineHandle): Promise<Record<string, number>> {
  const { violations, checked } = await machine.audit();
  expect(violations).toEqual([]);
  return checked;
}

/**
 * Pages 0 to 3 are a ring, which stands twice in a row in pages 0 to 7. Page 8 tells what was
 * called, with the number of the clone; pages from 9 on are lazy.
 */
const RING = backend(
  `make: 0,
  readPage: (page, target) => { target.fill(page); },
  map(start, size, prot, pt) {
    this.note('map', start, size, pt);
    for (let at = start; at < start + size; at += PAGE) {
      const page = pt.pageAt(at);
      if (!(page > 8 ? pt.reserve(at, PAGE) : pt.map(at, page === 8 ? 8 : page % 4))) return false;
    }
    return true;
  },
  unmap(start, size, pt) { this.note('unmap', start, size, pt); return pt.clear(start, size); },
  protect(start, size, prot, pt) {
    this.note('protect', start, size, pt);
    return pt.protect(start, size, prot);
  },
  note(what, start, size, pt) {
    calls.push(what + ' ' + pt.pageAt(start) + ' ' + size / PAGE + ' by ' + this.number);
    pt.write(8, new TextEncoder().encode(calls.join(', ')));
  },
  number: 0,
  clone() { return { ...this, number: this.number * 10 + ++clones }; }`,
  'const calls = []; let clones = 0;',
);

it.each(['rwlock', 'path', 'rcu'] as const)(
  'maps, faults, protects, forks, splits and unmaps under %s',
  async (protocol) => {
    const { machine, lines } = await start({ protocol, backends: { ring: RING } });
    const main = threads(
      async (proc: Proc) => {
        const P = 4096;
        const { mem } = proc;
        const fd = await proc.open('/backend/ring', 2);
        const at = await proc.mmap(0, 8 * P, RW, MAP_SHARED, fd, 0);
        mem.store32(at + P, 7);
        proc.print(`${mem.load32(at + 5 * P)} ${(await proc.fstat(fd)).kind}`);
        const lazy = proc.local.mmap(0, 2 * P, PROT_READ, MAP_SHARED, fd, 10 * P);
        proc.print(`${mem.load8(lazy)} ${mem.load8(lazy + P)}`);
        proc.local.mprotect(at + P, 2 * P, PROT_READ);
        try {
          mem.store32(at + P, 1);
        } catch (error) {
          proc.print((error as { code: string }).code);
        }
        const { status } = await proc.wait(await proc.fork('child', at));
        proc.print(`child ${String(status.code)}, parent ${mem.load32(at + 4 * P)}`);
        proc.sync.munmap(at + 3 * P, P);
        const log = await proc.mmap(0, P, PROT_READ, MAP_SHARED, fd, 8 * P);
        const text = mem.read(log, P);
        proc.print(new TextDecoder().decode(text.subarray(0, text.indexOf(0))));
      },
      {
        child: ({ mem }: Proc, at: number) => {
          mem.store32(at, 9);
          return mem.load32(at + 5 * 4096);
        },
      },
    );
    const process = await machine.spawn(main);
    expect(await process.wait()).toEqual({ code: 0 });
    expect(lines).toEqual([
      '7 arranged',
      '10 11',
      'SEGV_ACCERR',
      'child 7, parent 9',
      // In the child in the order of addresses: the later mapping lies below.
      'map 0 8 by 1, map 10 2 by 1, protect 1 2 by 1, map 10 2 by 12, map 0 1 by 12, ' +
        'map 1 2 by 12, map 3 5 by 12, unmap 10 2 by 12, unmap 0 1 by 12, unmap 1 2 by 12, ' +
        'unmap 3 5 by 12, unmap 3 1 by 1, map 8 1 by 1',
    ]);
    await expectSound(machine);
  },
);

/** What a backend does wrong, the answer to mmap, munmap or mprotect, and the line of output. */
const MISTAKES: Readonly<Record<string, [methods: string, answer: string, line: string]>> = {
  'throws an Error': ['map() { throw new Error("boom"); }', 'mmap EIO', 'map RANGE: Error: boom'],
  'throws null': ['map() { throw null; }', 'mmap EIO', 'map RANGE: thrown: [object Null]'],
  'throws what throws': [
    'map() { throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } }); }',
    ...(['mmap EIO', 'map RANGE: thrown: an object'] as const),
  ],
  'maps nothing': ['map: () => true', 'mmap EIO', 'map RANGE: left PAGE unmapped'],
  'maps a part': [
    'map: (start, size, prot, pt) => pt.map(start, 0) && pt.reserve(start + 2 * PAGE, PAGE)',
    ...(['mmap EIO', 'map RANGE: left PAGE unmapped'] as const),
  ],
  'maps outside its range': [
    'map: (start, size, prot, pt) => pt.map(start + size, 0)',
    ...([
      'mmap EIO',
      "map RANGE: RangeError: map: RANGE lies outside of the call's RANGE",
    ] as const),
  ],
  'clears outside its range': [
    'map: (start, size, prot, pt) => pt.clear(start - PAGE, size)',
    ...([
      'mmap EIO',
      "map RANGE: RangeError: clear: RANGE lies outside of the call's RANGE",
    ] as const),
  ],
  'maps no whole page': [
    'map: (start, size, prot, pt) => pt.reserve(start, size - 1)',
    ...(['mmap EIO', 'map RANGE: RangeError: reserve: RANGE is no range of whole pages'] as const),
  ],
  'maps a page that it does not own': [
    'map: (start, size, prot, pt) => pt.map(start, 16)',
    ...(['mmap EIO', 'map RANGE: RangeError: map: the backend has pages 0 to 15, no 16'] as const),
  ],
  'maps a page twice': [
    'map: (start, size, prot, pt) => pt.map(start, 0) && pt.map(start, 1)',
    ...(['mmap EIO', 'map RANGE: RangeError: map: PAGE is mapped already'] as const),
  ],
  'takes a permission away': [
    'map(...args) { return linear.map(...args) && args[3].protect(args[0], PAGE, 1); }',
    ...(['mmap EIO', 'map RANGE: left PAGE with another permission'] as const),
  ],
  refuses: ['map: () => false', 'mmap EACCES', ''],
  'knows the errno': ['map: () => ({ cause: "EBUSY" })', 'mmap EBUSY', ''],
  'has a cause': ['map: () => ({ cause: "it rains" })', 'mmap EIO', 'map RANGE: it rains'],
  'answers a number': [
    'map: () => 1',
    ...(['mmap EIO', 'map RANGE: answered 1, not true, false or { cause }, at once'] as const),
  ],
  'is asynchronous': [
    'async map() { throw new Error("late"); }',
    'mmap EIO',
    'map RANGE: answered [object Promise], not true, false or { cause }, at once',
  ],
  'answers what throws': [
    'map: () => ({ get cause() { throw new Error("no"); } })',
    'mmap EIO',
    'map RANGE: answered [object Object], not true, false or { cause }, at once',
  ],
  'recurses through the kernel': [
    'map: (start, size, prot, pt) => ' +
      'pt.reserve(start, size) && pt.clear(start, size) && again(start, size, prot, pt) + 1',
    ...(['mmap EIO', 'map RANGE: RangeError: Maximum call stack size exceeded'] as const),
  ],
  'recurses beyond all bounds': [
    'map(...args) { return 1 + this.map(...args); }',
    ...(['mmap EIO', 'map RANGE: RangeError: Maximum call stack size exceeded'] as const),
  ],
  'keeps the page table': [
    'map(...args) { this.kept = args[3]; return linear.map(...args); },' +
      'protect() { this.kept.clear(0, PAGE); }',
    ...([
      'mprotect EIO',
      'protect RANGE: TypeError: clear: the call of this page table has ended',
    ] as const),
  ],
  'rolls back more than its own': [
    'map(a, b, c, pt) { return { cause: [-1, 0.5, 1e9, NaN].map((m) => pt.rollback(m)).join() }; }',
    ...(['mmap EIO', 'map RANGE: false,false,false,false'] as const),
  ],
  'writes beyond the page': [
    'map: (start, size, prot, pt) => pt.write(0, new Uint8Array(9), 4090)',
    ...([
      'mmap EIO',
      'map RANGE: RangeError: write: 9 bytes from 4090 on are no part of a page',
    ] as const),
  ],
  'writes a look-alike': [
    'map: (start, size, prot, pt) => pt.write(0, Object.create(Uint8Array.prototype))',
    ...(['mmap EIO', 'map RANGE: TypeError: write: expected a Uint8Array'] as const),
  ],
  'has no clone': [
    'clone: () => ({})',
    'mmap EIO',
    'map RANGE: TypeError: clone() gave a backend without map',
  ],
  'clones nothing': [
    'clone: () => null',
    'mmap EIO',
    'map RANGE: TypeError: clone() gave a backend without map',
  ],
  'throws at a clone': ['clone() { throw 7; }', 'mmap EIO', 'map RANGE: thrown: 7'],
  'throws at unmap': [
    'unmap() { throw new Error("mine"); }',
    'munmap EIO',
    'unmap RANGE: Error: mine',
  ],
  'unmaps nothing': ['unmap: () => true', 'munmap EIO', 'unmap RANGE: left PAGE mapped'],
  'maps at unmap': [
    'unmap: (start, size, pt) => pt.clear(start, size) && pt.reserve(start, size)',
    ...(['munmap EIO', 'unmap RANGE: TypeError: reserve: while a range is unmapped'] as const),
  ],
  'refuses to unmap': ['unmap: () => false', 'munmap EACCES', ''],
  'protects nothing': [
    'protect: () => true',
    ...(['mprotect EIO', 'protect RANGE: left PAGE with another permission'] as const),
  ],
  'unmaps at protect': [
    'protect: (start, size, prot, pt) => pt.clear(start, size)',
    ...(['mprotect EIO', 'protect RANGE: left PAGE unmapped'] as const),
  ],
};

it('fails one call and nothing else, whatever a backend does wrong', async () => {
  const backends = Object.fromEntries(
    Object.entries(MISTAKES).map(([name, [methods]]) => [name, backend(methods)]),
  );
  const { machine, lines } = await start({ backends, memory: '8MiB' });
  const main = program(async (proc: Proc, name: string) => {
    const P = 4096;
    const fd = await proc.open(`/backend/${name}`, 2);
    const neighbour = await proc.mmap(0, 12 * P, RW, ANON);
    for (let page = 0; page < 12; page++) proc.mem.store32(neighbour + page * P, page);
    const start = neighbour + 4 * P;
    const calls: [string, () => unknown][] = [
      ['mmap', () => proc.local.mmap(start, 4 * P, RW, MAP_SHARED | 0x10, fd, 0)],
      ['mprotect', () => proc.local.mprotect(start - P, 3 * P, PROT_READ)],
      ['munmap', () => proc.local.munmap(start - P, 3 * P)],
    ];
    let answer = '';
    for (const [call, run] of calls) {
      try {
        run();
      } catch (error) {
        answer = `${call} ${(error as { code: string }).code}`;
        break;
      }
    }
    // All is there as it was: what was to be replaced, or what was to go.
    const there = [3, 4, 5, 6, 7, 8].map((page) => proc.mem.load32(neighbour + page * P));
    proc.print(`${answer} ${String(there)}`);
  });
  const outcomes: Record<string, unknown> = {};
  for (const name of Object.keys(MISTAKES)) {
    lines.length = 0;
    const process = await machine.spawn(main, { args: [name] });
    expect(await process.wait(), name).toEqual({ code: 0 });
    const [said, told] = [0, 1].map((own) =>
      lines.filter((text) => Number(text.startsWith('/backend/')) === own),
    );
    const line = told?.[0]?.replace(/0x\w+ \+0x\w+/g, 'RANGE').replace(/0x\w+/g, 'PAGE');
    outcomes[name] = [...(said ?? []), line?.slice(`/backend/${name}: `.length) ?? ''];
    await expectSound(machine);
  }
  const expected = Object.entries(MISTAKES).map(([name, [, answer, line]]) => {
    const pages = answer.startsWith('mmap') ? '3,4,5,6,7,8' : '3,0,0,0,0,8';
    return [name, [`${answer} ${pages}`, line]];
  });
  expect(outcomes).toEqual(Object.fromEntries(expected));
});

/** Modules that are no backend, and what `boot` says. */
const REFUSED: readonly [source: string, message: string][] = [
  ['export default { sizeBytes: 1 }', 'its default export has no method readPage'],
  ['export default { sizeBytes: 1, clone() {}, map() {}, unmap() {} }', 'has no method protect'],
  ['export default { sizeBytes: 1, readPage() {}, map: 1 }', 'has no method map'],
  ['export default { clone() {} }', 'sizeBytes must be an integer from 1, got undefined'],
  ['export default { clone() {}, sizeBytes: 2 ** 43 }', 'got 8796093022208'],
  ['export const map = 1;', 'its default export is no object, nor a function of one'],
  ['throw new Error("broken")', ' cannot be loaded: Error: broken'],
  ['export default () => { throw 3; }', 'its default export threw: thrown: 3'],
  ['export default async () => { throw new Error("no"); }', 'export threw: Error: no'],
];

it('is refused at boot in one line with its URL if it is none', async () => {
  const said = await Promise.all(
    REFUSED.map(async ([source]) => {
      const booted = boot({ backends: { mine: module(source) } });
      return booted.then(
        () => 'booted',
        (error: Error) => error.message,
      );
    }),
  );
  REFUSED.forEach(([, message], i) => expect(said[i]).toContain(message));
  for (const line of said) expect(line).toMatch(/^backend data:[^\n]+$/);
});

it('may give up, share and run out of frames', async () => {
  const greedy = backend(
    `sizeBytes: 2 ** 30,
    unmap(start, size, pt) {
      const last = pt.pageAt(start) + size / PAGE;
      if (size < 2 ** 20) for (let page = pt.pageAt(start); page < last; page++) pt.release(page);
      return pt.clear(start, size);
    }`,
  );
  const { machine, lines } = await start({ backends: { greedy }, memory: '4MiB' });
  const main = threads(
    async (proc: Proc) => {
      const P = 4096;
      const { mem } = proc;
      const fd = await proc.open('/backend/greedy', 2);
      const map = (pages: number) => proc.sync.mmap(0, pages * P, RW, MAP_SHARED, fd, 0);
      try {
        map(4096);
      } catch (error) {
        proc.print((error as { code: string }).code);
      }
      const at = map(64);
      const other = map(64);
      mem.store32(at, 1);
      mem.store32(other + 4, 2);
      proc.print(`${mem.load32(other)} ${mem.load32(at + 4)}`);
      // A sleeper is found under another address of its page.
      const pid = await proc.clone('sleeper', { args: [at + 4] });
      while ((await proc.futexWake(other + 4, 1)) === 0) await sleep(1);
      proc.print(`woken ${String((await proc.wait(pid)).status.code)}`);
      proc.sync.munmap(at, 64 * P);
      // As long as somebody maps it, a page that was given up stays as it is.
      proc.print(String(mem.load32(other)));
      proc.sync.munmap(other, 64 * P);
      proc.print(String(mem.load32(map(64))));
    },
    { sleeper: async (proc: Proc, at: number) => (await proc.futexWait(at, 2)) + 5 },
  );
  const before = await expectSound(machine);
  const process = await machine.spawn(main);
  expect(await process.wait()).toEqual({ code: 0 });
  expect(lines).toEqual(['ENOMEM', '1 2', 'woken 5', '1', '0']);
  const after = await expectSound(machine);
  // The failed mapping took all frames and gave them back, the end of the process its last pages.
  expect((after['framesInUse'] ?? NaN) - (before['framesInUse'] ?? NaN)).toBeLessThan(8);
});
