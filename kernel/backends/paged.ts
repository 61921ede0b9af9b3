/**
 * Backends over a memory object whose pages are found on demand: the shared object, the host file,
 * the device.
 *
 * Mapping writes reserved entries that name the record; a fault looks the page up in the object's
 * index. A shared object's pages that are missing are zero pages; a file's are supplied by the
 * kernel worker, which alone may read a file, so their faults can wait. A device has no pages: each
 * load and store faults and calls its handler in the kernel worker with the offset into the device;
 * nothing is ever entered into a TLB.
 *
 * Called under the areas' lock with the range locked; see backend.ts.
 */
import { MachineBackend } from './backend.ts';

/** The pages of a shared object or a file, found at the fault; or a device, which has none. */
export class ObjectBackend extends MachineBackend {
  /** The same with another value of AREA.ANON. */
  override withAnon(anon: number): ObjectBackend {
    return new ObjectBackend(this.kind, this.record, anon);
  }
}
