/**
 * What kernel code has to wait for on the kernel worker before it is tried again: a page of an
 * object or of swap, a frame, or its turn.
 */
import { ITS_TURN, NO_OBJECT, releaseFaultObject } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { ENOMEM } from '../../../shared/abi/errno.ts';

/**
 * A page of an object, by its block; a frame alone, when the object is NO_OBJECT; nothing but a
 * later turn, when it is ITS_TURN.
 */
export interface PageRequest {
  readonly object: number;
  readonly page: number;
}

/** A request for a frame alone. */
export const FRAME_REQUEST: PageRequest = { object: NO_OBJECT, page: 0 };

/**
 * What the CPU's last fault asked for. In kernel mode. Its reference to the object is given up:
 * objects whose pages must be read are the host's, and live as long as the machine.
 */
export function takePageRequest(cpu: Cpu): PageRequest {
  const { faultObject: object, faultPage: page } = cpu;
  releaseFaultObject(cpu, object);
  return { object, page };
}

/** What requests are fulfilled with. */
export interface Fulfilment {
  readonly supply: { supply(object: number, page: number): Promise<number> };
  readonly turns: { next(): Promise<void> };
  readonly reclaim: () => Promise<boolean>;
}

/**
 * Has the page read, and frames reclaimed if there is none for it. 0 when the kernel code is worth
 * trying again, -EIO, or -ENOMEM where `reclaim` finds no frame either.
 */
export async function fulfil(
  request: PageRequest,
  { supply, turns, reclaim }: Fulfilment,
): Promise<number> {
  const { object, page } = request;
  if (object === ITS_TURN) {
    await turns.next();
    return 0;
  }
  const supplied = object === NO_OBJECT ? -ENOMEM : await supply.supply(object, page);
  if (supplied !== -ENOMEM) return supplied;
  return (await reclaim()) ? 0 : -ENOMEM;
}
