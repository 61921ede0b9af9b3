/**
 * Device: pages that are no memory. Every load and store faults and calls the device's handler in
 * the kernel worker with the offset into the device; nothing is ever entered into a TLB.
 *
 * Called under the areas' lock with the range locked; see backend.ts.
 */
import { RESERVED_DEVICE, makeReserved, rwxOfProt } from '../../shared/pte.ts';
import type { Pte } from '../../shared/units.ts';
import { AREA_PROT } from '../machine/area-flags.ts';
import { MachineBackend } from './backend.ts';

export class DeviceBackend extends MachineBackend {
  readonly kind = 'device';
  override readonly isSpecial = true;

  reserved(flags: number): Pte {
    return makeReserved(RESERVED_DEVICE, this.record, rwxOfProt(flags & AREA_PROT), true);
  }
}
