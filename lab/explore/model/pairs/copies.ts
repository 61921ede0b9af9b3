/** The kernel's copies of user memory, as write(2) and read(2) do them, with pages supplied. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { WAIT_PAGE } from '../../../../kernel/machine/wait-codes.ts';
import { copyFromUser, copyToUser } from '../../../../kernel/mmu/user-copy.ts';
import { EFAULT } from '../../../../shared/abi/errno.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import { BASE, enter, leave, spaceOf } from '../kit.ts';
import type { Operation, World } from '../kit.ts';
import { supplyWanted } from '../user.ts';

const ROUNDS_MAX = 8;

/** The first byte of a page, or -EFAULT. */
export function copyByteFrom(page: number): Operation {
  return {
    name: `copy from page ${page}`,
    run(world: World, cpu: Cpu): number {
      const byte = new Uint8Array(1);
      const done = copyByte(world, cpu, page, byte, false);
      return done === 1 ? (byte[0] as number) : -EFAULT;
    },
  };
}

/** Writes the first byte of a page: 1, or -EFAULT. */
export function copyByteTo(page: number, value: number): Operation {
  return {
    name: `copy ${value} to page ${page}`,
    run(world: World, cpu: Cpu): number {
      const done = copyByte(world, cpu, page, Uint8Array.of(value), true);
      return done === 1 ? 1 : -EFAULT;
    },
  };
}

function copyByte(world: World, cpu: Cpu, page: number, byte: Uint8Array, toUser: boolean): number {
  const space = spaceOf(world, cpu.id);
  const at = BASE + page * PAGE_SIZE;
  enter(cpu);
  let done = -WAIT_PAGE;
  for (let round = 0; done === -WAIT_PAGE && round < ROUNDS_MAX; round++) {
    done = toUser ? copyToUser(cpu, space, at, byte) : copyFromUser(cpu, space, at, byte);
    if (done === -WAIT_PAGE && !supplyWanted(cpu)) break;
  }
  leave(world, cpu);
  return done;
}
