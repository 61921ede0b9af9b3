/** Mode changes of a CPU that runs several processes, and the gates of their accesses. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { leaveUserMode } from '../../../../kernel/mmu/user-mode.ts';
import type { UserMode } from '../../../../kernel/mmu/user-mode.ts';
import { BASE_VPN, mapPages, newProcess, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { kill, munmap } from '../operations.ts';
import { REFUSED } from '../result-codes.ts';
import { access, read, stayInUser, touchPages, write } from '../user.ts';

/** The program gives up its thread, and the CPU leaves user mode until the next access. */
const endTurn: Operation = {
  name: 'end of turn',
  run(world: World, cpu: Cpu): number {
    leaveUserMode(world.modes[cpu.id] as UserMode);
    return 0;
  },
};

/** An access to page `page` of the process whose block is `values[name]`, on whichever CPU. */
function as(name: string, page: number, value: number | null): Operation {
  return {
    name: value === null ? `${name}: read ${page}` : `${name}: write ${page}=${value}`,
    run(world: World, cpu: Cpu): number {
      world.procs[cpu.id] = world.values[name] as number;
      return access(world, cpu, BASE_VPN + page, value !== null, value ?? 0);
    },
  };
}

/** Page 1, and then page 0 at an ordered poll. 1 if 7 was seen and the process still goes on. */
const readThenRead: Operation = {
  name: 'read page 1, then page 0 after a poll',
  run(world: World, cpu: Cpu): number {
    const first = access(world, cpu, BASE_VPN + 1, false, 0);
    const second = access(world, cpu, BASE_VPN, false, 0, true);
    return first === 7 && second > REFUSED ? 1 : 0;
  },
};

/** Threads a (CPU 0) and c (CPU 1) of one process, and a process b that CPU 0 runs as well. */
function twoOnOneCpu(world: World): void {
  newProcess(world, 0);
  mapPages(world, 0, 0, 2);
  touchPages(world, 0, 0, 1);
  world.values['b'] = world.procs[0] as number;
  newThreads(world);
  mapPages(world, 0, 0, 2);
  touchPages(world, 0, 0, 2);
  world.values['a'] = world.procs[0] as number;
  stayInUser(world, 0, 0, 1);
}

export const userModeScenarios: readonly Scenario[] = [
  {
    name: 'take-turns',
    about: 'a CPU runs two processes by turns while a page of the one is unmapped',
    perProtocol: false,
    cpus: [[as('b', 0, 5), as('a', 0, null), as('b', 0, null)], [munmap(0, 1)]],
    setup(world: World): void {
      twoOnOneCpu(world);
    },
  },
  {
    name: 'turn-ends',
    about: 'a page is unmapped while the program that uses it gives up its thread and goes on',
    perProtocol: false,
    cpus: [[read(0), endTurn, read(0)], [munmap(0, 1)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 2);
      touchPages(world, 0, 0, 2);
      stayInUser(world, 0, 0, 1);
    },
  },
  {
    name: 'kill-noticed',
    about: 'who has seen what was written after a kill does not get past its next ordered poll',
    perProtocol: false,
    cpus: [[readThenRead], [kill('pid'), write(1, 7)]],
    setup(world: World): void {
      world.values['pid'] = newThreads(world);
      mapPages(world, 0, 0, 2);
      touchPages(world, 0, 0, 1);
      stayInUser(world, 0, 0, 1);
    },
  },
];
