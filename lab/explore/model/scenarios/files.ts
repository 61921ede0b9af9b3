/** Files: truncation, holes, write-back, the kernel's copies of user memory, descriptors. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import * as FRAME from '../../../../shared/layout/frame.ts';
import { leaveKernel } from '../../../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../../../kernel/mmu/kernel-entry.ts';
import { punchHole, resizeObject } from '../../../../kernel/files/truncate.ts';
import { cleanObject, takeDirty } from '../../../../kernel/files/write-back.ts';
import { releaseFaultObject } from '../../../../kernel/faults/object-fault.ts';
import { putFrame } from '../../../../kernel/frames/frames.ts';
import { frameField, frameWord } from '../../../../kernel/machine/machine.ts';
import { closeFd, openFd } from '../../../../kernel/objects/fd.ts';
import { createObject, putObject } from '../../../../kernel/objects/object.ts';
import { addSeals } from '../../../../kernel/objects/seals.ts';
import { pageFrame } from '../../../../kernel/objects/pages.ts';
import { peekEntry } from '../../../../kernel/paging/table.ts';
import { sysMmap } from '../../../../kernel/syscalls/mmap.ts';
import { WAIT_PAGE } from '../../../../kernel/machine/wait-codes.ts';
import { copyFromUser, copyToUser } from '../../../../kernel/mmu/user-copy.ts';
import { peek } from '../../../../shared/atomics.ts';
import * as OBJECT from '../../../../shared/layout/object.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import {
  F_SEAL_WRITE,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  O_RDWR,
} from '../../../../shared/abi/mman.ts';
import { panic } from '../../../../shared/panic.ts';
import { PTE_D } from '../../../../shared/pte.ts';
import { BASE, BASE_VPN, RW, enter, leave, mapPages, newThreads, spaceOf } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { munmap } from '../operations.ts';
import { read, touchPages, write } from '../user.ts';

/** A file of `pages` pages, open in the process of CPU 0, and its object. */
function openFile(world: World, pages: number, kind: number): void {
  const cpu = world.cpus[0] as Cpu;
  enterKernel(cpu);
  const spec = { kind, size: pages * PAGE_SIZE, host: 1, writable: true };
  const object = createObject(cpu, spec);
  world.values['fd'] = openFd(cpu, world.procs[0] as number, object, O_RDWR);
  // From here on only the descriptor refers to the object.
  putObject(cpu, object);
  world.values['object'] = object;
  leaveKernel(cpu);
}

/** One process on all CPUs, with a mapping of a file of two pages. */
function mappedFile(world: World, type: number, kind: number = OBJECT.SHARED): void {
  newThreads(world);
  openFile(world, 2, kind);
  const cpu = world.cpus[0] as Cpu;
  enterKernel(cpu);
  const fd = world.values['fd'] as number;
  sysMmap(cpu, world.procs[0] as number, BASE, 2 * PAGE_SIZE, RW, type | MAP_FIXED, fd, 0);
  leaveKernel(cpu);
}

function truncate(pages: number): Operation {
  return {
    name: `truncate to ${pages}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      resizeObject(cpu, world.values['object'] as number, pages * PAGE_SIZE);
      leave(world, cpu);
      return 0;
    },
  };
}

function punch(page: number): Operation {
  return {
    name: `punch ${page}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const result = punchHole(cpu, world.values['object'] as number, page, page + 1);
      leave(world, cpu);
      return result;
    },
  };
}

/** Takes page 0 to the "host", which is a number of this CPU's. */
const writeBack: Operation = {
  name: 'write back 0',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const object = world.values['object'] as number;
    cleanObject(cpu, object, 0, 1);
    const dirty = takeDirty(cpu, object, 0, 1);
    if (dirty !== null) {
      const bytes = new Uint8Array(1);
      bytes.set(cpu.machine.frameBytes.subarray(dirty.pfn * PAGE_SIZE, dirty.pfn * PAGE_SIZE + 1));
      (world.mine[cpu.id] as number[])[0] = bytes[0] as number;
      putFrame(cpu, dirty.pfn);
    }
    leave(world, cpu);
    return 0;
  },
};

/** What the host lacks of page 0 must still be marked: in the entry, or in the frame. */
function checkNothingLost(world: World): string {
  const { machine } = world;
  const cpu = world.cpus[0] as Cpu;
  const pfn = pageFrame(cpu, world.values['object'] as number, 0);
  const now = pfn === 0 ? 0 : peek(machine.words, frameWord(machine, pfn)) & 0xff;
  const host = (world.mine[0] as number[])[0] ?? 0;
  const marked =
    (peekEntry(cpu, spaceOf(world, 0), BASE_VPN) & PTE_D) !== 0 ||
    (pfn !== 0 && (peek(machine.words, frameField(machine, pfn, FRAME.STATE)) & FRAME.DIRTY) !== 0);
  // What whole operations lose is lost as well: that is no outcome to compare with.
  if (now !== host && !marked) panic('write-back: lost', now, host);
  return '';
}

/** The kernel reads the first byte of a page, as write(2) does. The byte, -1 or -2. */
function copyFrom(page: number): Operation {
  return {
    name: `copy from ${page}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const byte = new Uint8Array(1);
      const done = copyFromUser(cpu, spaceOf(world, cpu.id), BASE + page * PAGE_SIZE, byte);
      if (done === -WAIT_PAGE) releaseFaultObject(cpu, cpu.faultObject);
      leave(world, cpu);
      if (done === 1) return byte[0] as number;
      return done === 0 ? -1 : -2;
    },
  };
}

/** The kernel writes the first byte of a page, as read(2) does. Bytes copied, or -1. */
function copyTo(page: number, value: number): Operation {
  return {
    name: `copy ${value} to ${page}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const space = spaceOf(world, cpu.id);
      const done = copyToUser(cpu, space, BASE + page * PAGE_SIZE, Uint8Array.of(value));
      if (done === -WAIT_PAGE) releaseFaultObject(cpu, cpu.faultObject);
      leave(world, cpu);
      return done < 0 ? -1 : done;
    },
  };
}

const close: Operation = {
  name: 'close',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = closeFd(cpu, world.procs[0] as number, world.values['fd'] as number);
    leave(world, cpu);
    return result;
  },
};

const mmapFile: Operation = {
  name: 'mmap the file',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const proc = world.procs[0] as number;
    const flags = MAP_SHARED | MAP_FIXED;
    const fd = world.values['fd'] as number;
    const result = sysMmap(cpu, proc, BASE, PAGE_SIZE, RW, flags, fd, 0);
    leave(world, cpu);
    return result;
  },
};

const sealWrite: Operation = {
  name: 'seal against writing',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = addSeals(cpu, world.values['object'] as number, F_SEAL_WRITE);
    leave(world, cpu);
    return result;
  },
};

export const fileScenarios: readonly Scenario[] = [
  {
    name: 'truncate-private',
    about: 'a file is cut while a CPU copies the page that goes',
    cpus: [[truncate(1)], [write(1, 7), read(1)]],
    setup(world: World): void {
      mappedFile(world, MAP_PRIVATE);
      touchPages(world, 0, 0, 2, false);
    },
  },
  {
    name: 'truncate-supply',
    about: 'a page of a host file is read late: what was cut must not come back',
    cpus: [
      [truncate(0), truncate(2)],
      [read(1), read(1)],
    ],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED, OBJECT.FILE);
    },
  },
  {
    name: 'punch-write',
    about: 'a hole is punched while a CPU writes the page',
    cpus: [[punch(0)], [write(0, 7), read(0), read(1)]],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED);
      touchPages(world, 0, 0, 2);
    },
  },
  {
    name: 'write-back-store',
    about: 'a page is written back while a CPU writes it again and again',
    cpus: [[writeBack], [write(0, 7), write(0, 8)]],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED);
      touchPages(world, 0, 0, 1);
    },
    observe(world: World): string {
      return checkNothingLost(world);
    },
  },
  {
    name: 'write-back-munmap',
    about: 'a page is written back while its mapping, which wrote it, goes',
    cpus: [[writeBack], [write(0, 7), munmap(0, 1)]],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED);
      touchPages(world, 0, 0, 1);
    },
    observe(world: World): string {
      return checkNothingLost(world);
    },
  },
  {
    name: 'copy-from-munmap',
    about: 'the kernel copies from a page that is unmapped',
    cpus: [[copyFrom(0)], [munmap(0, 1)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1);
      touchPages(world, 0, 0, 1);
    },
  },
  {
    name: 'copy-to-munmap',
    about: 'the kernel copies to a page that is unmapped, and read by another CPU',
    cpus: [[copyTo(0, 7)], [read(0), munmap(0, 1)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1);
      touchPages(world, 0, 0, 1);
    },
  },
  {
    name: 'copy-from-cow',
    about: 'the kernel copies from a page of a file while a CPU makes its own copy of it',
    cpus: [
      [copyFrom(0), copyFrom(0)],
      [write(0, 7), truncate(0)],
    ],
    setup(world: World): void {
      mappedFile(world, MAP_PRIVATE);
      touchPages(world, 0, 0, 1, false);
    },
  },
  {
    name: 'seal-mmap',
    about: 'a file is sealed against writing while a CPU maps it to write: one of the two fails',
    perProtocol: false,
    cpus: [[sealWrite], [mmapFile, munmap(0, 1)]],
    setup(world: World): void {
      newThreads(world);
      openFile(world, 1, OBJECT.SHARED);
    },
  },
  {
    name: 'close-mmap',
    about: 'a descriptor is closed while a CPU maps its file',
    perProtocol: false,
    cpus: [[close], [mmapFile]],
    setup(world: World): void {
      newThreads(world);
      openFile(world, 1, OBJECT.SHARED);
    },
  },
];
