/** Goal and method as in host.ts; this file is what a user's scenario is written with. */
import { BASE, enter, leave, mapPages, mprotect, newThreads, write } from 'faultline/explore';
import type { Operation, Scenario, World } from 'faultline/explore';
import { layout, lock, unlock } from 'faultline/kernel';
import type { Cpu } from 'faultline/kernel';
import { expectTypeOf } from 'vitest';

export const takeBuddyLock: Operation = {
  name: 'take the buddy lock',
  run(world, cpu) {
    expectTypeOf(cpu).toEqualTypeOf<Cpu>();
    enter(cpu);
    lock(cpu, layout.BOOT.BUDDY_LOCK);
    unlock(cpu, layout.BOOT.BUDDY_LOCK);
    leave(world, cpu);
    return 0;
  },
};

export const scenario: Scenario = {
  name: 'mine',
  about: 'a page is written while its neighbour changes its permission',
  cpus: [[write(0, 7), takeBuddyLock], [mprotect(1, 1, 1)]],
  setup(world) {
    expectTypeOf(world).toEqualTypeOf<World>();
    newThreads(world);
    mapPages(world, 0, 0, 2);
  },
};

expectTypeOf(write(0, 7)).toEqualTypeOf<Operation>();
expectTypeOf(BASE).toEqualTypeOf<number>();

export const wrong: readonly unknown[] = [
  // @ts-expect-error: a page has a number.
  write('0', 7),
  // @ts-expect-error: an operation tells what its caller would see.
  { name: 'silent', run() {} } satisfies Operation,
  // @ts-expect-error: operations are plain functions; the explorer interleaves their accesses.
  { name: 'late', run: async () => 0 } satisfies Operation,
  // @ts-expect-error: a list of operations for each CPU.
  { name: 'flat', about: '', cpus: [write(0, 7)], setup() {} } satisfies Scenario,
  // @ts-expect-error: what is mapped is not said.
  { name: 'bare', about: '', cpus: [] } satisfies Scenario,
];
