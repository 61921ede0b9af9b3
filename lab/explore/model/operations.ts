/** System calls and kernel calls as operations of scenarios. Pages count from BASE. */
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import { handleFault } from '../../../kernel/faults/fault.ts';
import { reapLimbo } from '../../../kernel/frames/grace.ts';
import { exitProcess } from '../../../kernel/lifecycle/exit.ts';
import { killProcess } from '../../../kernel/processes/signals.ts';
import { sysMadvise } from '../../../kernel/syscalls/madvise.ts';
import { sysMincore } from '../../../kernel/syscalls/mincore.ts';
import { sysMmap } from '../../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../../kernel/syscalls/mprotect.ts';
import { sysMremap } from '../../../kernel/syscalls/mremap.ts';
import { sysMunmap } from '../../../kernel/syscalls/munmap.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { MREMAP_FIXED, MREMAP_MAYMOVE } from '../../../shared/abi/mman.ts';
import { ANON, BASE, BASE_VPN, RW, enter, leave, spaceOf } from './kit.ts';
import type { Operation, World } from './kit.ts';
import { adviceName, pagesText, rightsText } from './operation-names.ts';

/** The kernel's part of a page fault. A FAULT_* code. */
export function fault(page: number, write: boolean): Operation {
  return {
    name: `fault on page ${page}${write ? ', to write' : ''}`,
    page,
    returns: 'fault',
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const space = spaceOf(world, cpu.id);
      const outcome = handleFault(cpu, space, BASE_VPN + page, write);
      leave(world, cpu);
      return outcome;
    },
  };
}

/** Maps `pages` pages from page `page` on, counted from BASE. */
export function mmap(
  page: number,
  pages: number,
  prot: number = RW,
  flags: number = ANON,
): Operation {
  return {
    name: `mmap ${pagesText(page, pages)}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const at = BASE + page * PAGE_SIZE;
      const proc = world.procs[cpu.id] as number;
      const result = sysMmap(cpu, proc, at, pages * PAGE_SIZE, prot, flags, -1, 0);
      leave(world, cpu);
      return result;
    },
  };
}

/** Unmaps `pages` pages from page `page` on. */
export function munmap(page: number, pages: number): Operation {
  return {
    name: `munmap ${pagesText(page, pages)}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const at = BASE + page * PAGE_SIZE;
      const result = sysMunmap(cpu, world.procs[cpu.id] as number, at, pages * PAGE_SIZE);
      leave(world, cpu);
      return result;
    },
  };
}

/** Gives `pages` pages from page `page` on other PROT_ flags. */
export function mprotect(page: number, pages: number, prot: number): Operation {
  return {
    name: `mprotect ${pagesText(page, pages)}: ${rightsText(prot)}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const at = BASE + page * PAGE_SIZE;
      const proc = world.procs[cpu.id] as number;
      const result = sysMprotect(cpu, proc, at, pages * PAGE_SIZE, prot);
      leave(world, cpu);
      return result;
    },
  };
}

/** Moves pages to another address (`to` counts from BASE, too). */
export function mremap(page: number, pages: number, newPages: number, to: number): Operation {
  return {
    name: `mremap ${pagesText(page, pages)} to ${pagesText(to, newPages)}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const proc = world.procs[cpu.id] as number;
      const [at, target] = [BASE + page * PAGE_SIZE, BASE + to * PAGE_SIZE];
      const [size, newSize] = [pages * PAGE_SIZE, newPages * PAGE_SIZE];
      const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
      const result = sysMremap(cpu, proc, at, size, newSize, flags, target);
      leave(world, cpu);
      return result;
    },
  };
}

/** Advises about `pages` pages from page `page` on. */
export function madvise(page: number, pages: number, advice: number): Operation {
  return {
    name: `madvise ${pagesText(page, pages)} ${adviceName(advice)}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const at = BASE + page * PAGE_SIZE;
      const proc = world.procs[cpu.id] as number;
      const result = sysMadvise(cpu, proc, at, pages * PAGE_SIZE, advice);
      leave(world, cpu);
      return result;
    },
  };
}

/** The vector lies at the start of page `vector`. */
export function mincore(page: number, pages: number, vector: number): Operation {
  return {
    name: `mincore ${pagesText(page, pages)}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const proc = world.procs[cpu.id] as number;
      const [at, to] = [BASE + page * PAGE_SIZE, BASE + vector * PAGE_SIZE];
      const result = sysMincore(cpu, proc, at, pages * PAGE_SIZE, to);
      leave(world, cpu);
      return result;
    },
  };
}

/** Frees retired tables whose grace period is over, as the next operation on a range would. */
export const reap: Operation = {
  name: 'reap',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    reapLimbo(cpu);
    leave(world, cpu);
    return 0;
  },
};

/** Ends the process numbered `values[name]`. */
export function exit(name: string): Operation {
  return {
    name: `exit ${name}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const result = exitProcess(cpu, world.values[name] as number, 0, 0, 0);
      leave(world, cpu);
      return result;
    },
  };
}

/** Marks the process numbered `values[name]` to be ended by SIGKILL. */
export function kill(name: string): Operation {
  return {
    name: `kill ${name}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const result = killProcess(cpu, world.values[name] as number, 9);
      leave(world, cpu);
      return result;
    },
  };
}
