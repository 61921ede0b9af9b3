/**
 * Goal: what the exhaustive search leaves out, loses nothing.
 * Method: the final states that it reaches are compared with those that an enumerator written here
 * finds, for random programs; and with those of the other reductions, for scenarios.
 */
import { describe, expect, it } from 'vitest';
import { buildModel } from '../../lab/explore/build/build-model.ts';
import type { Model } from '../../lab/explore/build/build-model.ts';
import { DepthFirst } from '../../lab/explore/engine/depth-first.ts';
import type { Reduction } from '../../lab/explore/engine/depth-first.ts';
import { Executor } from '../../lab/explore/engine/executor.ts';
import { Random } from '../../lab/explore/engine/random.ts';
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

function endOf({ progress, subject }: Executor): string {
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
});
