/** What lies under the page tables: frames, slabs, grace periods, stopping, dead CPUs. */
import { resumeMachine, stopMachine } from '../../../../kernel/audit/stop.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { condemnCpu } from '../../../../kernel/machine/cpu-mode.ts';
import { allocFrame, freeFrame, getFrame, putFrame } from '../../../../kernel/frames/frames.ts';
import { slabAlloc, slabFree } from '../../../../kernel/frames/slab.ts';
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../../../kernel/lifecycle/exit.ts';
import { reapCpu } from '../../../../kernel/lifecycle/reap-cpu.ts';
import { shareFreeFrames } from '../../../../kernel/reclaim/watermarks.ts';
import { peek } from '../../../../shared/atomics.ts';
import * as BOOT from '../../../../shared/layout/boot.ts';
import * as FRAME from '../../../../shared/layout/frame.ts';
import * as SLAB from '../../../../shared/layout/slabs.ts';
import * as SPACE from '../../../../shared/layout/space.ts';
import { PROT_READ } from '../../../../shared/abi/mman.ts';
import { endCpu } from '../../runtime/facade.ts';
import { enter, leave, mapPages, newProcess, newThreads, spaceOf } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { exit, fault, mprotect, munmap } from '../operations.ts';
import { read, stayInUser, touchPages, write } from '../user.ts';

const takeFrame: Operation = {
  name: 'allocate a frame',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const pfn = allocFrame(cpu, FRAME.USED);
    world.mine[cpu.id]?.push(pfn);
    leave(world, cpu);
    return pfn === 0 ? 0 : 1;
  },
};

const giveFrame: Operation = {
  name: 'free a frame',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const pfn = world.mine[cpu.id]?.pop() ?? 0;
    if (pfn !== 0) freeFrame(cpu, pfn);
    leave(world, cpu);
    return 0;
  },
};

/** Takes and drops a reference on the frame `values.frame`. */
const getAndPut: Operation = {
  name: 'get and put a frame',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const pfn = world.values['frame'] as number;
    getFrame(cpu, pfn);
    putFrame(cpu, pfn);
    leave(world, cpu);
    return 0;
  },
};

/** A machine with one frame that nothing but `values.frame` refers to. */
function oneFrame(world: World): void {
  newThreads(world);
  const cpu = world.cpus[0] as Cpu;
  enter(cpu);
  world.values['frame'] = allocFrame(cpu, FRAME.USED);
  leave(world, cpu);
}

const takeBlock: Operation = {
  name: 'allocate an object block',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const block = slabAlloc(cpu, SLAB.OBJECT);
    if (block !== 0) slabFree(cpu, SLAB.OBJECT, block);
    leave(world, cpu);
    return block === 0 ? 0 : 1;
  },
};

/** Gives the CPU's cached frames back, as the end of a killed process does. */
const shareFrames: Operation = {
  name: 'share cached frames',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    shareFreeFrames(cpu);
    leave(world, cpu);
    return 0;
  },
};

const createOne: Operation = {
  name: 'create a process',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const pid = createProcess(cpu, { name: 'n', cpu: cpu.id, parent: 0 });
    world.values[`process ${cpu.id}`] = pid;
    leave(world, cpu);
    return pid > 0 ? 1 : pid;
  },
};

/** Ends the process that CPU `id` made at setup. */
function endOne(id: number): Operation {
  return {
    name: 'end a process',
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const pid = world.values[`process ${id}`] as number;
      exitProcess(cpu, pid, 0, 0, 0);
      releaseProcess(cpu, pid);
      leave(world, cpu);
      return 0;
    },
  };
}

/** Stops the machine, reads plainly what kernel code writes, and lets it go on. */
const stopAndGo: Operation = {
  name: 'stop the machine',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    stopMachine(cpu);
    // A CPU that were still in the kernel would race with these reads.
    const space = spaceOf(world, cpu.id);
    const faults = peek(cpu.words, space + SPACE.FAULTS_MINOR);
    const resident = peek(cpu.words, space + SPACE.RESIDENT);
    resumeMachine(cpu);
    leave(world, cpu);
    return faults >= 0 && resident >= 0 ? 0 : 1;
  },
};

/** Condemns CPU 0; when that succeeds, ends its Worker and takes over what it had. */
const condemn: Operation = {
  name: 'condemn CPU 0',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const condemned = condemnCpu(cpu, 0);
    if (condemned) {
      endCpu(0);
      reapCpu(cpu, 0);
    }
    leave(world, cpu);
    return 0;
  },
};

/** Maps four pages, touches one, and uses memory up but for `left` frames. */
export function scarce(world: World, left: number): void {
  mapPages(world, 0, 1024, 300);
  mapPages(world, 0, 0, 4);
  touchPages(world, 0, 0, 1);
  for (let page = 1024; page < 1324; page++) {
    if (peek(world.machine.words, BOOT.FREE_FRAMES) <= left) return;
    touchPages(world, 0, page, 1);
  }
}

export const machineScenarios: readonly Scenario[] = [
  {
    name: 'frame-caches',
    about: 'two CPUs allocate and free frames through their caches',
    perProtocol: false,
    cpus: [
      [takeFrame, takeFrame, giveFrame, giveFrame],
      [takeFrame, giveFrame],
    ],
    setup(world: World): void {
      newThreads(world);
    },
  },
  {
    name: 'frame-references',
    about: 'two CPUs take and drop references on one frame',
    perProtocol: false,
    audited: false,
    cpus: [[getAndPut], [getAndPut]],
    setup(world: World): void {
      oneFrame(world);
    },
    observe(world: World): string {
      const at = world.machine.meta + (world.values['frame'] as number) * FRAME.WORDS;
      return String(peek(world.machine.words, at + FRAME.COUNT));
    },
  },
  {
    name: 'slab',
    about: 'two CPUs allocate and free the only block of a slab',
    perProtocol: false,
    cpus: [[takeBlock], [takeBlock]],
    setup(world: World): void {
      newThreads(world);
    },
  },
  {
    name: 'process-create-create',
    about: 'two CPUs create processes',
    perProtocol: false,
    cpus: [[createOne], [createOne]],
    setup(world: World): void {
      newThreads(world);
    },
  },
  {
    name: 'process-create-end',
    about: 'a CPU creates a process while another ends one, whose block and space it may get',
    perProtocol: false,
    cpus: [[createOne], [endOne(1)]],
    setup(world: World): void {
      newThreads(world);
      createOne.run(world, world.cpus[1] as Cpu);
    },
  },
  {
    name: 'process-end-end',
    about: 'two CPUs end processes',
    perProtocol: false,
    cpus: [[endOne(0)], [endOne(1)]],
    setup(world: World): void {
      newThreads(world);
      for (const cpu of world.cpus.slice(0, 2)) createOne.run(world, cpu);
    },
  },
  {
    name: 'stop-entry',
    about: 'the machine is stopped while a CPU enters the kernel and another is in user mode',
    cpus: [[stopAndGo], [fault(1, true)], [read(0), read(0)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 2);
      stayInUser(world, 2, 0, 1);
    },
  },
  {
    name: 'condemn-entry',
    about: 'a CPU is condemned while its program reads, writes and enters the kernel',
    linearizable: false,
    cpus: [[read(0), mprotect(1, 1, PROT_READ), read(0)], [condemn]],
    setup(world: World): void {
      newProcess(world, 1);
      newProcess(world, 0);
      mapPages(world, 0, 0, 2);
      touchPages(world, 0, 0, 2);
      stayInUser(world, 0, 0, 2);
    },
  },
  {
    name: 'out-of-memory',
    about: 'faults and a range operation compete for the last frame',
    linearizable: false,
    cpus: [[write(1, 7)], [write(2, 8)]],
    setup(world: World): void {
      newThreads(world);
      scarce(world, 1);
    },
  },
  {
    name: 'out-of-memory-kill',
    about: 'a fault finds no frame while the process that has them is ended, and tries again',
    cpus: [
      [write(1, 7), write(1, 8)],
      [exit('victim'), shareFrames],
    ],
    setup(world: World): void {
      world.values['victim'] = newProcess(world, 1);
      mapPages(world, 1, 0, 4);
      touchPages(world, 1, 0, 4);
      newProcess(world, 0);
      scarce(world, 0);
    },
  },
  {
    name: 'out-of-memory-split',
    about: 'memory runs out in an mprotect that must split two spans',
    linearizable: false,
    cpus: [[mprotect(4608, 1024, PROT_READ)], [write(1, 7)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 4096, 2048);
      scarce(world, 1);
    },
  },
  {
    name: 'out-of-memory-unmap',
    about: 'memory runs out in the middle of a munmap that must split two spans',
    linearizable: false,
    cpus: [[munmap(4608, 1024)], [write(1, 7)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 4096, 2048);
      scarce(world, 1);
    },
  },
];
