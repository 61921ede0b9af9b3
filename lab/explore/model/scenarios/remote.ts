/** The kernel in another process's memory, with its permission or by force. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { frameWord } from '../../../../kernel/machine/machine.ts';
import { releaseFaultObject } from '../../../../kernel/faults/object-fault.ts';
import { WAIT_PAGE } from '../../../../kernel/machine/wait-codes.ts';
import { forceToUser } from '../../../../kernel/mmu/forced-copy.ts';
import { copyFromUser } from '../../../../kernel/mmu/user-copy.ts';
import { pageFrame } from '../../../../kernel/objects/pages.ts';
import { borrowSpace } from '../../../../kernel/processes/borrowed-space.ts';
import { putSpace } from '../../../../kernel/space/space.ts';
import { peek } from '../../../../shared/atomics.ts';
import { MADV_DONTNEED, MAP_PRIVATE, PROT_READ } from '../../../../shared/abi/mman.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import * as OBJECT from '../../../../shared/layout/object.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import { BASE, enter, leave, mapPages, newProcess, newThreads, spaceOf } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { exit, madvise, mprotect } from '../operations.ts';
import { read, touchPages } from '../user.ts';
import { fork, forked } from './forks.ts';
import { mappedFile } from './mapped-file.ts';

/** What a write to /proc/self/mem does to the first word of a page. Bytes, or -1. */
function force(page: number, value: number): Operation {
  return {
    name: `force ${value} into page ${page}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const bytes = Uint8Array.of(value, 0, 0, 0);
      const done = forceToUser(cpu, spaceOf(world, cpu.id), BASE + page * PAGE_SIZE, bytes);
      if (done === -WAIT_PAGE) releaseFaultObject(cpu, cpu.faultObject);
      leave(world, cpu);
      return done < 0 ? -1 : done;
    },
  };
}

/** What process_vm_readv does: the first byte of page 0 of process `values.child`, or the errno. */
const readChild: Operation = {
  name: "read the child's 0",
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const pid = world.values['child'] as number;
    const other = borrowSpace(cpu, spaceOf(world, cpu.id), pid);
    const byte = new Uint8Array(1);
    let done = other;
    if (other > 0) {
      done = copyFromUser(cpu, other, BASE, byte);
      putSpace(cpu, other);
    }
    leave(world, cpu);
    return done === 1 ? (byte[0] as number) : done;
  },
};

/** Threads with a private mapping of a file that they may only read, whose pages are in memory. */
function readOnlyFile(world: World): void {
  mappedFile(world, MAP_PRIVATE, OBJECT.SHARED, PROT_READ);
  touchPages(world, 0, 0, 1, false);
}

/** The first word of the file's first page, as others read it. */
function fileWord(world: World): string {
  const cpu = world.cpus[0] as Cpu;
  const pfn = pageFrame(cpu, world.values['object'] as number, 0);
  return `file ${peek(cpu.words, frameWord(cpu.machine, pfn))}`;
}

export const remoteScenarios: readonly Scenario[] = [
  {
    name: 'force-dontneed',
    about: 'a write is forced on a read-only page of a file while the page is dropped',
    cpus: [[force(0, 7)], [madvise(0, 1, MADV_DONTNEED), read(0)]],
    setup(world: World): void {
      readOnlyFile(world);
    },
    observe(world: World): string {
      return fileWord(world);
    },
  },
  {
    name: 'force-read',
    about: 'a write is forced on a page that another thread reads through its old translation',
    perProtocol: false,
    cpus: [[force(0, 7)], [read(0), read(0), read(0)]],
    setup(world: World): void {
      readOnlyFile(world);
    },
    observe(world: World): string {
      return fileWord(world);
    },
  },
  {
    name: 'force-fork',
    about: 'a write is forced on a page that may not be written while another thread forks',
    cpus: [[force(0, 7)], [fork, read(0)]],
    setup(world: World): void {
      readOnlyFile(world);
      world.values['parent'] = peek(world.machine.words, (world.procs[0] as number) + PROCESS.PID);
    },
  },
  {
    name: 'force-mprotect',
    about: 'a write is forced on memory that becomes writable, and is written',
    perProtocol: false,
    cpus: [[force(0, 7)], [mprotect(0, 1, PROT_READ | 2), read(0)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1, PROT_READ);
    },
  },
  {
    name: 'remote-read-exit',
    about: "a process reads another one's memory, which ends",
    perProtocol: false,
    cpus: [[readChild], [exit('child')]],
    setup(world: World): void {
      world.values['parent'] = newProcess(world, 0);
      mapPages(world, 0, 0, 1);
      touchPages(world, 0, 0, 1);
      forked(world);
    },
  },
];
