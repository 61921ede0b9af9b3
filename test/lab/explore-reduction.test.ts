/**
 * Goal: what the exhaustive search leaves out, loses nothing.
 * Method: the final states that it reaches are compared with those that an enumerator written here
 * finds, for random programs; and with those of the other reductions, for scenarios.
 */
import { describe, expect, it } from 'vitest';
import { buildModel } from '../../lab/explore/build/build-model.ts';
import type { Model } from '../../lab/explore/build/build-model.ts';
import { DepthFirst, WHOLE } from '../../lab/explore/engine/depth-first.ts';
import type { Path, Reduction } from '../../lab/explore/engine/depth-first.ts';
import { Executor } from '../../lab/explore/engine/executor.ts';
import { hashTlbs } from '../../lab/explore/engine/final-state.ts';
import { Random } from '../../lab/explore/engine/random.ts';
import { SharedVisited } from '../../lab/explore/engine/shared-visited.ts';
import { Subject } from '../../lab/explore/engine/subject.ts';
import { nodeHost } from '../../lab/explore/node/node-host.ts';
import { WORDS as FIRST } from '../fixtures/explore/small-programs.ts';
import type { Instruction, program as makeProgram } from '../fixtures/explore/small-programs.ts';

const FIXTURE = 'test/fixtures/explore/small-programs.ts';
const WORDS = 2;
const KINDS = ['load', 'store', 'add', 'exchange', 'cas', 'stash', 'unstash', 'unless'] as const;
const RUNS = 12;
const SEED = 20_261_130;

const built: Promise<Model> = buildModel(nodeHost(), { userModules: [FIXTURE] });

interface Search {
  readonly ends: Set<string>;
  readonly executions: number;
}

/** The final states of an exhaustive search, and its executions. */
function endsOf(executor: Executor, bound: number, reduction: Reduction): Search {
  const strategy = new DepthFirst(bound, reduction);
  let ends = new Set<string>();
  let executions = 0;
  for (;;) {
    strategy.begin(executor);
    executor.sharing.grew = false;
    const isWhole = executor.execute(strategy);
    executions++;
    expect(executor.failure).toBeNull();
    if (isWhole) ends.add(endOf(executor));
    if (executor.sharing.grew) {
      strategy.restart();
      ends = new Set();
      executions = 0;
    } else if (!strategy.next(executor)) return { ends, executions };
  }
}

/** The same in parts of a few executions, which two hands take in turn, with shared states. */
function endsInParts(executor: Executor, bound: number, reduction: Reduction): Search {
  let states = new SharedVisited(SharedVisited.newBuffer());
  let ends = new Set<string>();
  let executions = 0;
  let left: (readonly Path[])[] = [[WHOLE]];
  for (;;) {
    const paths = left.shift();
    if (paths === undefined) return { ends, executions };
    const strategy = new DepthFirst(bound, reduction, paths, states);
    for (let turn = 1; ; turn++) {
      strategy.begin(executor);
      executor.sharing.grew = false;
      const isWhole = executor.execute(strategy);
      executions++;
      if (isWhole) ends.add(endOf(executor));
      if (executor.sharing.grew) {
        states = new SharedVisited(SharedVisited.newBuffer());
        ends = new Set();
        executions = 0;
        left = [[WHOLE]];
        break;
      }
      if (turn === 3) {
        const rest = strategy.rest();
        const halves = [0, 1].map((half) => rest.filter((_, i) => i % 2 === half));
        left.push(...halves.filter((half) => half.length > 0));
        break;
      }
      if (!strategy.next(executor)) break;
    }
  }
}

/** Results of the programs and the words that they leave, by trying every order of instructions. */
function enumerated(programs: readonly (readonly Instruction[])[]): Set<string> {
  const ends = new Set<string>();
  interface Thread {
    readonly at: number;
    readonly register: number;
    readonly stash: number;
  }
  const visit = (threads: readonly Thread[], words: readonly number[]): void => {
    let isEnd = true;
    threads.forEach((thread, id) => {
      const instruction = programs[id]?.[thread.at];
      if (instruction === undefined) return;
      isEnd = false;
      const [next, after] = stepOf(thread, instruction, words, programs[id]!.length);
      visit(
        threads.map((other, i) => (i === id ? next : other)),
        after,
      );
    });
    if (isEnd) ends.add(`${threads.map(({ register }) => register).join()} ${words.join()}`);
  };
  const stepOf = (
    { at, register, stash }: Thread,
    [kind, word, value]: Instruction,
    words: readonly number[],
    length: number,
  ): [Thread, readonly number[]] => {
    const before = words[word]!;
    const left = (now: number): number[] => words.map((other, i) => (i === word ? now : other));
    const read = { at: at + 1, register: register * 7 + before, stash };
    switch (kind) {
      case 'load':
        return [read, words];
      case 'add':
        return [read, left(before + value)];
      case 'exchange':
        return [read, left(value)];
      case 'cas':
        return [read, before === value ? left(value + 1) : words];
      case 'stash':
        return [{ at: at + 1, register, stash: before }, words];
      case 'unstash':
        return [{ at: at + 1, register, stash }, left(stash + value)];
      case 'unless':
        return [{ at: before === value ? length : at + 1, register, stash }, words];
      default:
        return [{ at: at + 1, register: register * 7, stash }, left(value)];
    }
  };
  visit(
    programs.map(() => ({ at: 0, register: 0, stash: 0 })),
    Array.from({ length: WORDS }, () => 0),
  );
  return ends;
}

function randomPrograms(random: Random): Instruction[][] {
  const cpus = 2 + random.below(2);
  return Array.from({ length: cpus }, () =>
    Array.from({ length: cpus === 2 ? 2 + random.below(3) : 1 + random.below(2) }, () => {
      const kind = KINDS[random.below(KINDS.length)] as string;
      return [kind, random.below(WORDS), random.below(3)] as const;
    }),
  );
}

async function executorOf(programs: readonly (readonly Instruction[])[]): Promise<Executor> {
  const model = await built;
  const { program } = model.userModules[0] as { program: typeof makeProgram };
  const scenario = {
    name: 'programs',
    about: 'small programs',
    cpus: programs.map((one) => [program(one)]),
    linearizable: false,
    audited: false,
    setup: () => {},
  };
  return new Executor(new Subject(model, scenario, model.module.PROTOCOLS.rcu));
}

/** What programs and the audit can see at the end of a scenario. */
function kernelEndOf({ progress, subject }: Executor): string {
  const { memory } = subject.model.module.runtime;
  const hash = memory.hashChanges(subject.ignored, hashTlbs(subject.world.cpus));
  return `${progress.results.map((list) => list.join()).join(' ')} ${hash}`;
}

function endOf(executor: Executor): string {
  const { progress, subject } = executor;
  if (subject.scenario.name !== 'programs') return kernelEndOf(executor);
  const results = progress.results.map(([result]) => result).join();
  return `${results} ${subject.words.subarray(FIRST, FIRST + WORDS).join()}`;
}

describe('the reductions of the exhaustive search', () => {
  it(`reach what an enumerator reaches: ${RUNS} random programs, seed ${SEED}`, async () => {
    const random = new Random(SEED);
    for (let run = 0; run < RUNS; run++) {
      const programs = randomPrograms(random);
      const expected = [...enumerated(programs)].sort();
      const executor = await executorOf(programs);
      for (const reduction of ['states', 'sleep', 'none'] as const) {
        const { ends } = endsOf(executor, Infinity, reduction);
        const found = [...ends].sort();
        expect({ programs, reduction, found }).toEqual({ programs, reduction, found: expected });
      }
    }
  });

  it('reach the same with a bound', async () => {
    const random = new Random(SEED + 1);
    for (let run = 0; run < RUNS; run++) {
      const programs = randomPrograms(random);
      const executor = await executorOf(programs);
      for (const bound of [0, 1, 2]) {
        const found = (reduction: Reduction): string[] =>
          [...endsOf(executor, bound, reduction).ends].sort();
        const expected = { programs, bound, found: found('none') };
        expect({ programs, bound, found: found('states') }).toEqual(expected);
      }
    }
  });

  it('reach the same in parts that several hands take, in no more executions', async () => {
    const random = new Random(SEED + 2);
    for (let run = 0; run < RUNS / 3; run++) {
      const programs = randomPrograms(random);
      const executor = await executorOf(programs);
      for (const bound of [1, Infinity]) {
        for (const reduction of ['none', 'sleep', 'states'] as const) {
          const whole = endsOf(executor, bound, reduction);
          const parts = endsInParts(executor, bound, reduction);
          const what = { programs, bound, reduction };
          expect({ ...what, found: [...parts.ends].sort() }).toEqual({
            ...what,
            found: [...whole.ends].sort(),
          });
          if (reduction === 'none') expect(parts.executions).toBe(whole.executions);
        }
      }
    }
  });

  it.each([
    ['fault-munmap', 1],
    ['cow-read-write', 1],
    ['record-intern-put', 1],
  ])('reach the same final machines in %s with at most %d preemption', async (name, bound) => {
    const { module, ...model } = await built;
    const shipped = module.SCENARIOS.find((one) => one.name === name)!;
    // Judges would change the machine when they see a final state for the first time.
    const scenario = { ...shipped, audited: false, linearizable: false };
    const subject = new Subject({ module, ...model }, scenario, module.PROTOCOLS.rcu);
    const executor = new Executor(subject);
    const expected = [
      ...endsOf(executor, bound, bound === Infinity ? 'sleep' : 'none').ends,
    ].sort();
    expect(expected.length).toBeGreaterThan(1);
    expect([...endsOf(executor, bound, 'states').ends].sort()).toEqual(expected);
    expect([...endsInParts(executor, bound, 'states').ends].sort()).toEqual(expected);
  });
});
