/** Memory objects: files, shared memory, copies of pages, mapping records. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { leaveKernel } from '../../../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../../../kernel/mmu/kernel-entry.ts';
import { resizeObject } from '../../../../kernel/files/truncate.ts';
import { openFd } from '../../../../kernel/objects/fd.ts';
import { createObject, putObject } from '../../../../kernel/objects/object.ts';
import { internRecord, putRecord } from '../../../../kernel/objects/record.ts';
import { startProcess } from '../../../../kernel/processes/process.ts';
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import { processOf } from '../../../../kernel/processes/pid-table.ts';
import { evictObjectPages } from '../../../../kernel/reclaim/object-pages.ts';
import { sysMmap } from '../../../../kernel/syscalls/mmap.ts';
import * as OBJECT from '../../../../shared/layout/object.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import { MAP_FIXED, MAP_PRIVATE, MAP_SHARED, O_RDWR } from '../../../../shared/abi/mman.ts';
import { BASE, RW, SHARED, enter, leave, mapPages, newProcess, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { exit, munmap } from '../operations.ts';
import { read, touchPages, write } from '../user.ts';

/** A process on CPU 1 with the shared mappings and descriptors of the one on CPU 0. */
function newChild(world: World, parent: number): number {
  const cpu = world.cpus[0] as Cpu;
  enterKernel(cpu);
  const pid = createProcess(cpu, { name: 'c', cpu: 1, parent, inherit: true });
  startProcess(cpu, pid);
  leaveKernel(cpu);
  world.procs[1] = processOf(world.machine, pid);
  return pid;
}

/** Descriptor of a file (or another kind of object) of `pages` pages in the process of CPU 0. */
function openFile(world: World, pages: number, kind: number = OBJECT.FILE): number {
  const cpu = world.cpus[0] as Cpu;
  enterKernel(cpu);
  const spec = { kind, size: pages * PAGE_SIZE, host: 1, writable: true };
  const object = createObject(cpu, spec);
  const fd = openFd(cpu, world.procs[0] as number, object, O_RDWR);
  // From here on only the descriptor refers to the object.
  putObject(cpu, object);
  leaveKernel(cpu);
  world.values['object'] = object;
  world.values['fd'] = fd;
  return fd;
}

/** A mapping of a file at BASE, private by default, in the process of CPU `id`. */
function mapFile(
  world: World,
  id: number,
  fd: number,
  pages: number,
  type: number = MAP_PRIVATE,
): void {
  const cpu = world.cpus[0] as Cpu;
  enterKernel(cpu);
  const flags = type | MAP_FIXED;
  sysMmap(cpu, world.procs[id] as number, BASE, pages * PAGE_SIZE, RW, flags, fd, 0);
  leaveKernel(cpu);
}

/** One process on both CPUs with a private mapping of a file. */
function fileOfThreads(world: World): void {
  newThreads(world);
  const fd = openFile(world, 2);
  mapFile(world, 0, fd, 2);
}

/** Two processes with one shared page, never touched. */
function sharedPage(world: World): void {
  const pid = newProcess(world, 0);
  mapPages(world, 0, 0, 1, RW, SHARED);
  world.values['parent'] = pid;
  world.values['child'] = newChild(world, pid);
}

/** Takes and drops the record of one mapping of the file. */
function intern(delta: number): Operation {
  return {
    name: `intern ${delta}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const record = internRecord(cpu, world.values['object'] as number, delta, true);
      if (record !== 0) putRecord(cpu, record);
      leave(world, cpu);
      return record === 0 ? 0 : 1;
    },
  };
}

/** Cuts the file to `pages` pages, or makes it longer. */
function truncate(pages: number): Operation {
  return {
    name: `truncate to ${pages} pages`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      resizeObject(cpu, world.values['object'] as number, pages * PAGE_SIZE);
      leave(world, cpu);
      return 0;
    },
  };
}

/** Frees the file's pages in the page cache that no process maps. */
const evictCache: Operation = {
  name: 'evict cached pages',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    evictObjectPages(cpu, world.values['object'] as number, 0, 8, 2 ** 30);
    leave(world, cpu);
    return 0;
  },
};

export const objectScenarios: readonly Scenario[] = [
  {
    name: 'file-fault-fault',
    about: 'a page of a file is absent, and two CPUs supply it',
    cpus: [[read(0)], [read(0), write(0, 7)]],
    setup(world: World): void {
      fileOfThreads(world);
    },
  },
  {
    name: 'file-fault-munmap',
    about: 'a page of a file is supplied while its mapping goes',
    cpus: [[read(0)], [munmap(0, 2)]],
    setup(world: World): void {
      fileOfThreads(world);
    },
  },
  {
    name: 'truncate-fault',
    about: 'a file is cut while a page of it is supplied and read',
    cpus: [[truncate(1)], [read(1), read(1)]],
    setup(world: World): void {
      fileOfThreads(world);
    },
  },
  {
    name: 'truncate-user',
    about: 'a file is cut, and grows again, under a CPU that has its page in its TLB',
    cpus: [
      [truncate(0), truncate(1)],
      [read(0), write(0, 7), read(0)],
    ],
    setup(world: World): void {
      newThreads(world);
      mapFile(world, 0, openFile(world, 2), 2, MAP_SHARED);
      touchPages(world, 1, 0, 1);
    },
  },
  {
    name: 'cache-evict-fault',
    about: 'the page cache gives pages back while a CPU faults on them',
    cpus: [[evictCache], [read(0), write(1, 7)]],
    setup(world: World): void {
      fileOfThreads(world);
      touchPages(world, 0, 0, 1, false);
      munmap(0, 2).run(world, world.cpus[0] as Cpu);
      mapFile(world, 0, world.values['fd'] as number, 2);
    },
  },
  {
    name: 'clear-accessed',
    about: 'a present page that no TLB has yet is unmapped while a walk sets its A bit',
    cpus: [[read(0), read(0)], [munmap(0, 1)]],
    setup(world: World): void {
      newThreads(world);
      mapFile(world, 0, openFile(world, 2, OBJECT.LINEAR), 2, MAP_SHARED);
    },
  },
  {
    name: 'shared-fault-fault',
    about: 'two processes touch one shared page for the first time',
    cpus: [[write(0, 7)], [read(0)]],
    setup(world: World): void {
      sharedPage(world);
    },
  },
  {
    name: 'cow-write-write',
    about: 'two CPUs write a page that the page cache holds: one copy each would be one too many',
    cpus: [
      [write(0, 5), read(0)],
      [write(0, 6), read(0)],
    ],
    setup(world: World): void {
      fileOfThreads(world);
      touchPages(world, 0, 0, 1, false);
    },
  },
  {
    name: 'cow-read-write',
    about: 'a CPU reads through its old translation while another gets the copy',
    cpus: [
      [read(0), read(0), read(0)],
      [write(0, 6), write(0, 7)],
    ],
    setup(world: World): void {
      fileOfThreads(world);
      touchPages(world, 0, 0, 1, false);
    },
  },
  {
    name: 'cow-two-spaces',
    about: 'two processes write their own copies of one page of a file',
    cpus: [
      [write(0, 5), read(0)],
      [write(0, 6), read(0)],
    ],
    setup(world: World): void {
      const pid = newProcess(world, 0);
      const fd = openFile(world, 1);
      newChild(world, pid);
      mapFile(world, 0, fd, 1);
      mapFile(world, 1, fd, 1);
      touchPages(world, 0, 0, 1, false);
      touchPages(world, 1, 0, 1, false);
    },
  },
  {
    name: 'record-intern-put',
    about: 'two CPUs take and drop the same mapping record',
    perProtocol: false,
    cpus: [
      [intern(3), intern(3)],
      [intern(3), intern(4)],
    ],
    setup(world: World): void {
      newThreads(world);
      openFile(world, 2);
    },
  },
  {
    name: 'exit-shared-fault',
    about: 'a process ends while another faults on the object that they share',
    cpus: [[exit('parent')], [write(0, 7), read(0)]],
    setup(world: World): void {
      sharedPage(world);
      touchPages(world, 0, 0, 1);
    },
  },
];
