/** Any system call of the table as an operation. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { WAIT_PAGE } from '../../../../kernel/machine/wait-codes.ts';
import { cleanObject, takeDirty } from '../../../../kernel/files/write-back.ts';
import { putFrame } from '../../../../kernel/frames/frames.ts';
import { putObject } from '../../../../kernel/objects/object.ts';
import { dispatch } from '../../../../kernel/syscalls/dispatch.ts';
import { restOf } from '../../../../kernel/syscalls/rest.ts';
import type { Call } from '../../../../kernel/syscalls/rest.ts';
import { ENOMEM } from '../../../../shared/abi/errno.ts';
import { enter, leave } from '../kit.ts';
import type { Operation, World } from '../kit.ts';
import { supplyWanted } from '../user.ts';

/** Rounds of a call that waits for pages or gives way. */
const ROUNDS_MAX = 8;

/** Syscall `number`, carried out to its end: pages that it waits for come at once. */
export function call(name: string, number: number, args: readonly number[]): Operation {
  return {
    name,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const result = carryOut(cpu, world.procs[cpu.id] as number, number, args);
      leave(world, cpu);
      return result;
    },
  };
}

function carryOut(cpu: Cpu, proc: number, number: number, args: readonly number[]): number {
  let call: Call = { number, args };
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = call.args;
    const result = dispatch(cpu, proc, call.number, a, b, c, d, e, f);
    if (result !== -WAIT_PAGE) {
      writeBackAll(cpu);
      return result;
    }
    if (!supplyWanted(cpu)) return -ENOMEM;
    call = restOf(call, cpu.stoppedAtVpn);
  }
  return -WAIT_PAGE;
}

/** What msync wants written: here the host takes pages at once. */
function writeBackAll(cpu: Cpu): void {
  for (let wanted = cpu.writeBacks.pop(); wanted !== undefined; wanted = cpu.writeBacks.pop()) {
    const { object, firstPage, endPage } = wanted;
    cleanObject(cpu, object, firstPage, endPage);
    const dirty = takeDirty(cpu, object, firstPage, endPage);
    if (dirty !== null) putFrame(cpu, dirty.pfn);
    putObject(cpu, object);
  }
}
