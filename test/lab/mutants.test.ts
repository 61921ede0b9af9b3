/**
 * Goal: mutants that are derived from the kernel's syntax run, are found where they show, and leave
 * the kernel as it was. Method: one build with all of them, some by name in one scenario each.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { Judge } from '../../lab/explore/mutate/judge.ts';
import { GENERATED_BUDGETS, WRITTEN_BUDGETS } from '../../lab/explore/mutate/reach.ts';
import { buildSchemata } from '../../lab/explore/mutate/schemata-build.ts';
import type { SchemataBuild } from '../../lab/explore/mutate/schemata-build.ts';
import { nodeHost } from '../../lab/explore/node/node-host.ts';

const host = nodeHost();
const exhaustive = { strategy: 'exhaustive', stepsMax: 1e6 } as const;
const bounds = [
  { ...exhaustive, bound: 0, executionsMax: 64 },
  { ...exhaustive, bound: 1, executionsMax: 500 },
];

describe('systematic mutants', () => {
  let build: SchemataBuild;
  let judge: Judge;

  beforeAll(async () => {
    build = await buildSchemata(host);
    judge = new Judge(await build.load(), await build.load(), host.pause);
  }, 120_000);

  it.each([
    ['faults/cow.ts:breakCow:drop-flush:1', 'cow-read-write', /audit|stale/],
    ['paging/range-op.ts:closeRange:early-unlock:1', 'shootdown-observer', /not linearizable/],
    ['paging/table.ts:pushDown:split-update:1', 'zero-span-munmap', /audit/],
    ['paging/flush.ts:flushEach:drop-flush:1', 'shootdown-two-pages-sync', /audit/],
    ['machine/spinlock.ts:unlock:drop-wake-up:1', 'lock', /lost wake-up/],
    ['objects/record.ts:internRecord:drop-lock:1', 'record-intern-put', /panic/],
    // A loop that no access ends, in the setup.
    ['paging/table.ts:pushDown:drop-check:2', 'zero-span-munmap', /panic/],
  ])('finds %s in %s', async (name, scenario, kind) => {
    const mutant = build.mutants.find(({ id }) => id === `kernel/${name}`);
    expect(mutant?.id).toBe(`kernel/${name}`);
    const visit = { scenario, protocol: 'rcu', bounds };
    const { sighting } = await judge.visit(mutant?.number ?? 0, visit);
    expect(sighting?.kind).toMatch(kind);
    // The same scenario in the same build, without the mutant.
    expect((await judge.visit(0, visit)).sighting).toBeNull();
  });

  it('knows which CPUs execute the place of a mutant', async () => {
    const place = (id: string): number => build.mutants.find((one) => one.id === id)?.place ?? -1;
    const scenario = { scenario: 'cow-read-write', protocol: 'rcu' };
    const covered = await judge.coverage(scenario, WRITTEN_BUDGETS);
    expect(covered.alone).toContain(place('kernel/faults/cow.ts:breakCow:drop-flush:1'));
    expect(covered.contested).toContain(place('kernel/mmu/walk.ts:walk:drop-check:1'));
    expect(covered.size).toBe(covered.alone.length + covered.contested.length);
    expect([...covered.alone, ...covered.contested, ...covered.aside]).not.toContain(
      place('kernel/processes/futex-queue.ts:wakeKey:drop-wake-up:1'),
    );
    const pair = { scenario: 'swapped+load+munmap', protocol: 'vma' };
    const reached = await judge.coverage(pair, GENERATED_BUDGETS);
    expect([...reached.alone, ...reached.contested]).toContain(
      place('kernel/faults/swap-in.ts:resolveSwap:drop-check:1'),
    );
  });
});
