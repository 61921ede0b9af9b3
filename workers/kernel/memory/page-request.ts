/**
 * What kernel code has to wait for on the kernel worker before it is tried again: a page of an
 * object or of swap, or a frame.
 */
import { NO_OBJECT, releaseFaultObject } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { ENOMEM } from '../../../shared/abi/errno.ts';
import type { PageSupply } from './page-supply.ts';

/** An object's block, or what stands in its place, and a page of it. */
export interface Wanted {
  readonly object: number;
  readonly page: number;
}

export const A_FRAME: Wanted = { object: NO_OBJECT, page: 0 };

/**
 * What the CPU's last fault left word of. In kernel mode. The reference goes: objects with
 * something behind them are the host's, and live as long as the machine.
 */
export function takeWanted(cpu: Cpu): Wanted {
  const { faultObject: object, faultPage: page } = cpu;
  releaseFaultObject(cpu, object);
  return { object, page };
}

/** 0 when it is worth to try again, -EIO, or -ENOMEM where `reclaim` finds no frame either. */
export async function provide(
  wanted: Wanted,
  supply: PageSupply,
  reclaim: () => Promise<boolean>,
): Promise<number> {
  const { object, page } = wanted;
  const supplied = object === NO_OBJECT ? -ENOMEM : await supply.supply(object, page);
  if (supplied !== -ENOMEM) return supplied;
  return (await reclaim()) ? 0 : -ENOMEM;
}
