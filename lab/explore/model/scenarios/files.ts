/** Files: truncation, holes, write-back, the kernel's copies of user memory, descriptors. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import * as FRAME from '../../../../shared/layout/frame.ts';
import { punchHole, resizeObject } from '../../../../kernel/files/truncate.ts';
import { cleanObject, takeDirty } from '../../../../kernel/files/write-back.ts';
import { releaseFaultObject } from '../../../../kernel/faults/object-fault.ts';
import { putFrame } from '../../../../kernel/frames/frames.ts';
import { frameField, frameWord } from '../../../../kernel/machine/machine.ts';
import { closeFd } from '../../../../kernel/objects/fd.ts';
import { pageFrame } from '../../../../kernel/objects/pages.ts';
import { peekEntry } from '../../../../kernel/paging/table.ts';
import { WAIT_PAGE } from '../../../../kernel/machine/wait-codes.ts';
import { copyFromUser, copyToUser } from '../../../../kernel/mmu/user-copy.ts';
import { peek, readBytes } from '../../../../shared/atomics.ts';
import * as OBJECT from '../../../../shared/layout/object.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import { MAP_PRIVATE, MAP_SHARED } from '../../../../shared/abi/mman.ts';
import { panic } from '../../../../shared/panic.ts';
import { PTE_D } from '../../../../shared/pte.ts';
import { BASE, BASE_VPN, enter, leave, mapPages, newThreads, spaceOf } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { munmap } from '../operations.ts';
import { read, stayInUser, touchPages, write } from '../user.ts';
import { mappedFile, mmapFile, openFile } from './mapped-file.ts';

export function truncate(pages: number): Operation {
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

export function punch(page: number): Operation {
  return {
    name: `punch a hole at page ${page}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const result = punchHole(cpu, world.values['object'] as number, page, page + 1);
      leave(world, cpu);
      return result;
    },
  };
}

/** Takes page 0 to the "host", which is a number of this CPU's. The byte written, or -1. */
export const writeBack: Operation = {
  name: 'write back page 0',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    let written = -1;
    const object = world.values['object'] as number;
    cleanObject(cpu, object, 0, 1);
    const dirty = takeDirty(cpu, object, 0, 1);
    if (dirty !== null) {
      const bytes = new Uint8Array(1);
      readBytes(cpu.words, frameWord(cpu.machine, dirty.pfn) * 4, bytes);
      written = bytes[0] as number;
      (world.mine[cpu.id] as number[])[0] = written;
      putFrame(cpu, dirty.pfn);
    }
    leave(world, cpu);
    return written;
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
    name: `copy from page ${page}`,
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
    name: `copy ${value} to page ${page}`,
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
    name: 'truncate-munmap',
    about: 'a file is cut while its last mapping goes under a CPU that uses it',
    cpus: [[munmap(0, 2)], [truncate(0), read(0)]],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED);
      stayInUser(world, 1, 0, 1);
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
    name: 'write-back-last-mapping',
    about: 'a page that was written is written back while its last mapping goes',
    cpus: [[writeBack], [munmap(0, 2)]],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED);
      touchPages(world, 1, 0, 1);
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
