/** Threads that share their descriptors (CLONE_FILES), and one that is joined by its word. */
import { blockCpu } from '../../../../kernel/machine/cpu-mode.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { unblockCpu } from '../../../../kernel/mmu/kernel-entry.ts';
import { storeWide } from '../../../../kernel/frames/wide.ts';
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../../../kernel/lifecycle/exit.ts';
import { clearChildTid } from '../../../../kernel/lifecycle/thread-words.ts';
import {
  closeFd,
  dupFd,
  execDescriptors,
  fdFile,
  inheritFds,
} from '../../../../kernel/objects/fd.ts';
import { fileObject, putFile } from '../../../../kernel/objects/open-file.ts';
import { objectSize } from '../../../../kernel/objects/pages.ts';
import { futexBegin, futexFinish, futexSleep } from '../../../../kernel/processes/futex.ts';
import { processOf } from '../../../../kernel/processes/pid-table.ts';
import { startProcess } from '../../../../kernel/processes/process.ts';
import { memfdCreate } from '../../../../kernel/syscalls/open.ts';
import { sysFtruncate } from '../../../../kernel/syscalls/seek.ts';
import { peek } from '../../../../shared/atomics.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import { BASE, BASE_VPN, enter, leave, mapPages, newProcess, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { access, touchPages } from '../user.ts';

const SIZE: number = 3 * PAGE_SIZE;
/** What the word of a thread holds that has not ended. */
const TID = 7;
/** Turns of a program's loop around its wait. */
const TURNS_MAX = 8;

/** A look at a file's size by `values.fd`, as read or mmap begin: -1 when it is closed. */
const use: Operation = {
  name: 'use a descriptor',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const file = fdFile(cpu, world.procs[cpu.id] as number, world.values['fd'] as number);
    const size = file === 0 ? -1 : objectSize(cpu, fileObject(cpu, file));
    if (file !== 0) putFile(cpu, file);
    leave(world, cpu);
    return size;
  },
};

const dup: Operation = {
  name: 'dup',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const fd = dupFd(cpu, world.procs[cpu.id] as number, world.values['fd'] as number);
    leave(world, cpu);
    (world.mine[cpu.id] as number[])[0] = fd;
    return fd;
  },
};

const closeOpened: Operation = {
  name: 'close a descriptor',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = closeFd(cpu, world.procs[cpu.id] as number, world.values['fd'] as number);
    leave(world, cpu);
    return result;
  },
};

/** What `dup` gave, if it gave one. */
const closeCopy: Operation = {
  name: 'close the copy',
  run(world: World, cpu: Cpu): number {
    const fd = (world.mine[cpu.id] as number[])[0] as number;
    if (fd < 0) return fd;
    enter(cpu);
    const result = closeFd(cpu, world.procs[cpu.id] as number, fd);
    leave(world, cpu);
    return result;
  },
};

/** As fork does for a child. Whether that has the descriptor. */
const inherit: Operation = {
  name: 'a child inherits the descriptors',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const child = world.values['child'] as number;
    inheritFds(cpu, world.procs[cpu.id] as number, child);
    const file = fdFile(cpu, child, world.values['fd'] as number);
    if (file !== 0) putFile(cpu, file);
    leave(world, cpu);
    return file === 0 ? 0 : 1;
  },
};

/** A thread that shares the table, which ends at once: 1, or the errno. */
const shareAndEnd: Operation = {
  name: 'a thread shares the descriptors, and ends',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const parent = peek(cpu.words, (world.procs[cpu.id] as number) + PROCESS.PID);
    const spec = { name: 's', cpu: cpu.id, parent, thread: true, shareDescriptors: true };
    const pid = createProcess(cpu, spec);
    if (pid > 0) {
      exitProcess(cpu, pid, 0, 0, 0);
      releaseProcess(cpu, pid);
    }
    leave(world, cpu);
    return pid > 0 ? 1 : pid;
  },
};

/** As exec does: a table of the caller's own. */
const ownTable: Operation = {
  name: 'exec takes a table of its own',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = execDescriptors(cpu, world.procs[cpu.id] as number);
    leave(world, cpu);
    return result;
  },
};

/** Two threads of one table, in which `values.fd` is open. */
function sharedTable(world: World): void {
  const cpu = world.cpus[0] as Cpu;
  const parent = newProcess(world, 0);
  enter(cpu);
  const spec = { name: 't', cpu: 1, parent, thread: true, shareDescriptors: true };
  const pid = createProcess(cpu, spec);
  startProcess(cpu, pid);
  const proc = world.procs[0] as number;
  const fd = memfdCreate(cpu, proc, 1, 0);
  sysFtruncate(cpu, proc, fd, SIZE);
  const child = createProcess(cpu, { name: 'c', parent: 0 });
  world.values['child'] = processOf(world.machine, child);
  leave(world, cpu);
  world.procs[1] = processOf(world.machine, pid);
  world.values['fd'] = fd;
}

/** As a join does: waits until the thread's word is 0. */
const join: Operation = {
  name: 'join a thread',
  run(world: World, cpu: Cpu): number {
    const proc = world.procs[cpu.id] as number;
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const value = access(world, cpu, BASE_VPN, false, 0);
      if (value === 0) return 0;
      enter(cpu);
      const waiter = futexBegin(cpu, proc, BASE, value);
      if (waiter > 0) {
        blockCpu(cpu);
        futexSleep(cpu, proc, waiter, Infinity);
        unblockCpu(cpu);
        futexFinish(cpu, proc, waiter);
      }
      leave(world, cpu);
    }
    return -1;
  },
};

const clearTid: Operation = {
  name: 'a thread clears its word',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = clearChildTid(cpu, world.procs[cpu.id] as number);
    leave(world, cpu);
    return result;
  },
};

/** Two threads; that of CPU 1 has its word at BASE. */
function joinable(world: World): void {
  newThreads(world);
  mapPages(world, 0, 0, 1);
  touchPages(world, 0, 0, 1);
  access(world, world.cpus[0] as Cpu, BASE_VPN, true, TID);
  storeWide(world.machine, (world.procs[1] as number) + PROCESS.CLEAR_TID, BASE);
}

export const descriptorScenarios: readonly Scenario[] = [
  {
    name: 'files-use-close',
    about: 'a descriptor is closed while another thread, with the same table, begins to use it',
    perProtocol: false,
    cpus: [[use], [closeOpened]],
    setup(world: World): void {
      sharedTable(world);
    },
  },
  {
    name: 'files-dup-close',
    about: 'a descriptor is closed while another thread makes a copy of it, and closes that',
    perProtocol: false,
    // As on Linux the copy may get the number that is closed meanwhile.
    linearizable: false,
    cpus: [[dup, closeCopy], [closeOpened]],
    setup(world: World): void {
      sharedTable(world);
    },
  },
  {
    name: 'files-close-close',
    about: 'two threads close one descriptor: one of them does',
    perProtocol: false,
    cpus: [[closeOpened], [closeOpened]],
    setup(world: World): void {
      sharedTable(world);
    },
  },
  {
    name: 'files-dup-dup',
    about: 'two threads make copies of a descriptor: each gets another number',
    perProtocol: false,
    cpus: [
      [dup, closeCopy],
      [dup, closeCopy],
    ],
    setup(world: World): void {
      sharedTable(world);
    },
  },
  {
    name: 'files-fork-close',
    about: 'a child gets a copy of a table in which another thread closes a descriptor',
    perProtocol: false,
    cpus: [[inherit], [closeOpened]],
    setup(world: World): void {
      sharedTable(world);
    },
  },
  {
    name: 'files-share-end',
    about: 'a table gets a user and loses it while another thread takes a table of its own',
    perProtocol: false,
    cpus: [[shareAndEnd], [ownTable, use]],
    setup(world: World): void {
      sharedTable(world);
    },
  },
  {
    name: 'files-own-own',
    about: 'both users of a table take one of their own: nothing stays open in the old one',
    perProtocol: false,
    cpus: [
      [ownTable, closeOpened],
      [ownTable, use],
    ],
    setup(world: World): void {
      sharedTable(world);
    },
  },
  {
    name: 'thread-join',
    about: 'a thread ends and clears its word while another one joins it: no wake-up is lost',
    // The join ends only after the end, in any order.
    linearizable: false,
    cpus: [[join], [clearTid]],
    setup(world: World): void {
      joinable(world);
    },
  },
];
