/**
 * Goal: the explorer runs the very source that ships, finds nothing in it, and finds seeded bugs.
 * Method: the same operations on both builds, word by word; all scenarios exhaustively at a small
 * bound under every protocol; every mutant; the replay of what they print.
 */
import { describe, expect, it } from 'vitest';
import { attachCpu } from '../../kernel/machine/cpu.ts';
import { leaveKernel, startCpu } from '../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { formatMachine } from '../../kernel/format.ts';
import { PROTOCOLS, PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { startProcess } from '../../kernel/processes/process.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { buildModel, bundleModel } from '../../lab/explore/build/build-model.ts';
import { Executor } from '../../lab/explore/engine/executor.ts';
import { explore } from '../../lab/explore/engine/explore.ts';
import { RACES_ALLOWED } from '../../lab/explore/engine/races-allowed.ts';
import { Random } from '../../lab/explore/engine/random.ts';
import { Replay, formatSchedule, parseSchedule } from '../../lab/explore/engine/schedule.ts';
import { Subject } from '../../lab/explore/engine/subject.ts';
import { Laboratory } from '../../lab/explore/laboratory.ts';
import { SWAP_SLOTS } from '../../lab/explore/model/swap-store.ts';
import { EXHIBITS } from '../../lab/explore/museum/museum.ts';
import { MUTANTS, mutantNamed } from '../../lab/explore/mutants.ts';
import { nodeHost } from '../../lab/explore/node/node-host.ts';
import { protocolsFor } from '../../lab/explore/plan.ts';
import { formatStory } from '../../lab/explore/story/story-text.ts';
import { tell } from '../../lab/explore/story/tell.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE } from '../../shared/abi/mman.ts';

const BASE = 2 ** 32;
const FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
const SEARCH = { strategy: 'exhaustive', bound: 1, depth: 3, seed: 1 } as const;
const host = nodeHost();
const laboratory = new Laboratory(host);
const { scenarios } = laboratory.catalogue();
/** With the limits that ship. */
const sameLimits = buildModel(host, { smallLimits: false });
const surroundings = { nowMs: host.nowMs, pause: host.pause, isStopped: () => false };

describe('the explore build', () => {
  it.each(PROTOCOL_NAMES)(
    'is the same source: equal machines after random operations (%s)',
    async (name) => {
      const { module, ...model } = await sameLimits;
      const protocol = PROTOCOLS[name];
      const sizes = { frames: 512, cpus: 1, swapSlots: SWAP_SLOTS };
      const machine = formatMachine({ ...sizes, checked: true, protocol });
      const cpu = attachCpu(machine, 0);
      startCpu(cpu);
      enterKernel(cpu);
      const pid = createProcess(cpu, { name: 'p', cpu: 0, parent: 0 });
      startProcess(cpu, pid);
      leaveKernel(cpu);
      const proc = processOf(machine, pid);
      const space = machine.words[proc + PROCESS.SPACE] as number;

      const scenario = { name: 'none', about: '', cpus: [[]], frames: 512, setup: () => {} };
      const subject = new Subject({ module, ...model }, scenario, module.PROTOCOLS[name]);
      subject.direct(() => module.newThreads(subject.world));
      const twin = subject.world.cpus[0]!;
      expect(subject.words).toEqual(machine.words);

      const random = new Random(7);
      const results = new Set<number>();
      for (let i = 0; i < 300; i++) {
        const kind = random.below(5);
        const at = BASE + random.below(1500) * PAGE_SIZE;
        const size = (1 + random.below(1200)) * PAGE_SIZE;
        const prot = random.below(4);
        enterKernel(cpu);
        subject.direct(() => module.enterKernel(twin));
        let result = 0;
        let twinResult = 0;
        if (kind === 0) {
          result = sysMmap(cpu, proc, at, size, prot, FLAGS, -1, 0);
          twinResult = subject.direct(() =>
            module.sysMmap(twin, proc, at, size, prot, FLAGS, -1, 0),
          );
        } else if (kind === 1) {
          result = sysMunmap(cpu, proc, at, size);
          twinResult = subject.direct(() => module.sysMunmap(twin, proc, at, size));
        } else if (kind === 2) {
          result = sysMprotect(cpu, proc, at, size, prot);
          twinResult = subject.direct(() => module.sysMprotect(twin, proc, at, size, prot));
        } else {
          result = handleFault(cpu, space, at / PAGE_SIZE, kind === 3);
          twinResult = subject.direct(() =>
            module.handleFault(twin, space, at / PAGE_SIZE, kind === 3),
          );
        }
        leaveKernel(cpu);
        subject.direct(() => module.leaveKernel(twin));
        expect(twinResult).toBe(result);
        results.add(Math.min(result, 10));
      }
      expect(results.size).toBeGreaterThan(3);
      expect(Buffer.compare(bytesOf(subject.words), bytesOf(machine.words))).toBe(0);
    },
  );

  it.each([
    ['a callback', 'export function f(c) { [1].forEach(() => lock(c, 1)); }', /callback/],
    ['a getter', 'export class A { get x() { return load(w, 1); } }', /getter/],
    ['a constructor', 'export class A { constructor(c) { lock(c, 1); } }', /constructor/],
    ['a function as a value', 'export const table = [lock];', /used as a value/],
    ['a method as a value', 'export function f(p) { return p.lockPage; }', /used as a value/],
    ['try', 'export function f(c) { try { lock(c, 1); } finally { f(c); } }', /TryStatement/],
    ['a catch', 'export function f(c) { try { lock(c, 1); } catch (e) { f(c); } }', /TryStatement/],
    ['async', 'export async function f(c) { lock(c, 1); }', /async/],
    ['a computed call', 'export function f(p, n) { p[n](); }', /computed call/],
    ['a default value', 'export function f(x = load(w, 1)) { return x; }', /default value/],
    ['module-level code', 'export const x = load([], 1);', /module-level/],
    ['an optional call', 'export function f(p, c) { p?.lockPage(c); }', /optional call/],
    ['an unknown import', "import { none } from '../../shared/pte.ts'; none();", /none/],
  ])('refuses %s, by file and line', async (_what, code, reason) => {
    const path = 'test/lab/refused.js';
    const source = `import { lock } from '../../kernel/machine/spinlock.ts';
import { load } from '../../shared/atomics.ts';
const w = [];
${code}`;
    const read = (name: string): string | null => (name === path ? source : host.read(name));
    const failure = bundleModel({ ...host, read }, { userModules: [path] });
    await expect(failure).rejects.toThrow(reason);
    await expect(failure).rejects.toThrow(/refused\.js:4/);
  });

  it('refuses a patch whose text is not there exactly once', async () => {
    const patch = { path: 'kernel/mmu/walk.ts', find: 'no such text', replace: '' };
    await expect(bundleModel(host, { patches: [patch] })).rejects.toThrow(/occurs 0 times/);
  });
});

describe('exploration', () => {
  const excuses = new Set<string>();

  it.each(PROTOCOL_NAMES)(
    'finds nothing with one preemption (%s)',
    async (protocol) => {
      expect(scenarios.length).toBeGreaterThanOrEqual(20);
      for (const [i, scenario] of scenarios.entries()) {
        // `faultline explore --all --bound 1` explores all: between them these three do too.
        const turn = ['global', 'rwlock', 'path'].indexOf(protocol);
        if (turn >= 0 && i % 3 !== turn) continue;
        if (!protocolsFor(scenario, PROTOCOL_NAMES).includes(protocol)) continue;
        const experiment = { scenario: scenario.name, protocol, mutant: null };
        const limits = { executionsMax: 1e6, timeMaxMs: 20_000 };
        const report = await laboratory.explore({ experiment, search: { ...SEARCH, ...limits } });
        const { failure } = report.exploration.finding ?? { failure: null };
        expect({ ...experiment, failure, schedule: report.schedule }).toEqual({
          ...experiment,
          failure: null,
          schedule: null,
        });
        expect(report.exploration.complete).toBe(true);
        for (const place of report.excuses) excuses.add(place);
      }
    },
    120_000,
  );

  it('finds nothing in generated pairs, some of each operation with one preemption', async () => {
    const names = laboratory.catalogue().pairs;
    expect(names.length).toBeGreaterThan(7000);
    // A step that no number of states or operations divides.
    for (let at = 0; at < names.length; at += 211) {
      const experiment = { scenario: names[at]!, protocol: 'rcu', mutant: null };
      const search = { ...SEARCH, executionsMax: 1e6, timeMaxMs: 20_000 };
      const { exploration } = await laboratory.explore({ experiment, search });
      expect({ name: names[at], ...exploration }).toMatchObject({ complete: true, finding: null });
    }
  }, 120_000);

  it('needed every excuse for a race: none outlives its reason', () => {
    expect(Object.keys(RACES_ALLOWED).filter((place) => !excuses.has(place))).toEqual([]);
  });

  it('finds mutants, replays them exactly, and tells the story', async () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
    for (const name of ['free-before-ack', 'double-map', 'no-second-look', 'lost-wake-up']) {
      const mutant = mutantNamed(name)!;
      const experiment = { scenario: mutant.scenario, protocol: mutant.protocol, mutant: name };
      const limits = { executionsMax: 20_000, timeMaxMs: 20_000 };
      const search = { ...SEARCH, ...limits, bound: 2 };
      const report = await laboratory.explore({ experiment, search });
      const { finding } = report.exploration;
      const text = parseSchedule(report.schedule ?? '')!;
      expect(text).toMatchObject(experiment);
      const executor = await laboratory.executor(experiment);
      executor.execute(new Replay(text.segments));
      expect(executor.failure?.kind).toBe(finding?.failure.kind);
      expect([...executor.schedule.slice(0, executor.steps)]).toEqual([...finding!.schedule]);
      const story = tell(executor, text.segments)!;
      expect(formatStory(story, 100)).toMatch(/CPU 1[^]*\.ts:\d+/);
      // The kernel itself does nothing wrong on this schedule.
      const clean = await laboratory.executor({ ...experiment, mutant: null });
      clean.execute(new Replay(text.segments));
      expect(clean.failure).toBeNull();
    }
  }, 60_000);

  it('names the words of swap in its stories', async () => {
    const experiment = { scenario: 'swap-slot-reused', protocol: 'rcu', mutant: null };
    const limits = { executionsMax: 100, timeMaxMs: 20_000 };
    const search = { ...SEARCH, ...limits, strategy: 'random' } as const;
    // By now it is known which words are shared: any execution tells of them.
    const { executor } = await laboratory.search({ experiment, search });
    const story = tell(executor, [])!;
    const all = story.moments.map(({ text, place }) => `${text}  ${place}`).join('\n');
    expect(all).toMatch(/sets the swap store slot 1 to .* {2}lab.*\/scenarios\/swaps.ts:\d+$/m);
    expect(all).not.toMatch(/histogram|log record|scratch/i);
  });

  it('finds mutants, and replays each failure exactly', async () => {
    // All of them take minutes: FAULTLINE_MUTANTS=all npm test -- explore.test.
    const isAll = process.env['FAULTLINE_MUTANTS'] === 'all';
    // The museum's have a test of their own.
    const shown = new Set(EXHIBITS.map(({ mutant }) => mutant));
    const others = MUTANTS.filter(({ name }) => !shown.has(name));
    const mutants = isAll ? MUTANTS : others.filter((_, i) => i % 24 === 0);
    for (const { name: mutant, scenario, protocol } of mutants) {
      const experiment = { scenario, protocol, mutant };
      const limits = { executionsMax: 1e6, timeMaxMs: 60_000 };
      // One laboratory a mutant: a built model stays in memory as long as its laboratory.
      const own = new Laboratory(host);
      let report = null;
      for (let bound = 0; bound <= 3 && !report?.exploration.finding; bound++) {
        report = await own.explore({ experiment, search: { ...SEARCH, ...limits, bound } });
      }
      const { failure } = report?.exploration.finding ?? { failure: null };
      expect({ mutant, found: failure !== null }).toEqual({ mutant, found: true });
      // What panics in the scenario's setup has no schedule.
      if (report?.exploration.executions === 0) continue;
      const { story } = await own.retell(report?.schedule ?? '');
      // A failure that is no panic has the stack below its first line, which is that of the caller.
      const [message] = (story.failure ?? '').split('\n');
      const [found] = (failure?.message ?? '').split('\n');
      expect({ mutant, kind: story.kind, message }).toEqual({
        ...{ mutant, kind: failure?.kind, message: found },
      });
    }
  }, 300_000);

  it.each(['fault-fault-write', 'fault-munmap'])(
    'finds nothing either when plain accesses are scheduled, not judged (%s)',
    async (name) => {
      const counts: number[] = [];
      for (const yieldPlain of [false, true]) {
        const model = await buildModel(host, { yieldPlain });
        const scenario = model.module.SCENARIOS.find((one) => one.name === name)!;
        const executor = new Executor(new Subject(model, scenario, model.module.PROTOCOLS.rcu));
        const search = { ...SEARCH, bound: 2, executionsMax: 1e6, timeMaxMs: 60_000 };
        const { executions, steps, ...rest } = await explore(executor, search, surroundings);
        expect(rest).toMatchObject({ complete: true, finding: null });
        const mean = Math.round(steps / executions);
        const how = yieldPlain ? 'scheduled' : 'judged';
        console.log(`${name}, plain accesses ${how}: ${executions} executions of ${mean} steps`);
        counts.push(executions);
      }
      expect(counts[0]).toBeLessThan(counts[1]!);
    },
    120_000,
  );

  it('prints and parses schedules', () => {
    const text = 'fault-munmap@rcu+no-flush:0*41,1*12,0~,0*3';
    expect(formatSchedule(parseSchedule(text)!)).toBe(text);
    expect(formatSchedule(parseSchedule('a@./p.ts:1*2')!)).toBe('a@./p.ts:1*2');
    expect(parseSchedule('fault-munmap@rcu:0*x')).toBeNull();
    expect(parseSchedule('nonsense')).toBeNull();
  });

  it('explores all 924 orders of two operations of six steps, and says how fast', async () => {
    const experiment = { scenario: 'six-steps', protocol: 'rcu', mutant: null };
    const limits = { executionsMax: 1e6, timeMaxMs: 20_000 };
    const search = { ...SEARCH, ...limits, bound: Infinity, reduction: 'none' } as const;
    const { executor, exploration } = await laboratory.search({ experiment, search });
    expect(exploration.complete).toBe(true);
    expect(exploration.executions).toBeGreaterThanOrEqual(924);
    const random = { ...search, strategy: 'random', executionsMax: 300_000 } as const;
    await explore(executor, random, surroundings);
    const cpuStart = process.cpuUsage().user;
    const { executions } = await explore(executor, random, surroundings);
    const seconds = (process.cpuUsage().user - cpuStart) / 1e6;
    console.log(`explore: ${Math.round(executions / seconds)} executions of 12 steps a second`);
    // Far below what an idle core gives, so that only a real slowdown fails.
    expect(executions / seconds).toBeGreaterThan(50_000);
  }, 60_000);
});

function bytesOf(words: Int32Array<SharedArrayBuffer>): Uint8Array {
  return new Uint8Array(words.buffer);
}
