/**
 * Supplying a page of a file or of a user's backend: the slow half of a major fault. The kernel
 * worker takes a frame, fills it with the host's help (asynchronously, no lock held), and gives
 * it to the object; the waiting CPU faults again and finds it.
 */
import * as FRAME from '../../shared/layout/frame.ts';
import { bytesOf } from '../../shared/units.ts';
import type { ObjectBlock, ObjectPage, Pfn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { allocFrame, freeFrame } from '../frames/frames.ts';
import { zeroFrame } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { pageFrame, supplyPage } from '../objects/pages.ts';

/** A zeroed frame to fill, 0 when memory is exhausted. */
export function beginPageIn(cpu: Cpu): Pfn {
  const pfn = allocFrame(cpu, FRAME.USED);
  if (pfn !== 0) zeroFrame(cpu.machine, pfn);
  return pfn;
}

/** The bytes of a frame, for the host to fill. */
export function frameBytesOf(machine: Machine, pfn: Pfn): Uint8Array<SharedArrayBuffer> {
  return machine.frameBytes.subarray(bytesOf(pfn), bytesOf(pfn + 1));
}

/** Whether the page has been supplied already. */
export function pageIsIn(cpu: Cpu, object: ObjectBlock, page: ObjectPage): boolean {
  return pageFrame(cpu, object, page) !== 0;
}

/** Gives the filled frame to the object. False when memory for the index is exhausted. */
export function finishPageIn(cpu: Cpu, object: ObjectBlock, page: ObjectPage, pfn: Pfn): boolean {
  return supplyPage(cpu, object, page, pfn);
}

/** The host could not supply the page: the frame goes back. */
export function abortPageIn(cpu: Cpu, pfn: Pfn): void {
  freeFrame(cpu, pfn);
}
