/**
 * Device: pages that are no memory. Every load and store faults and calls the device's handler in
 * the kernel worker with the offset into the device; nothing is ever entered into a TLB.
 *
 * Called under the areas' lock with the range locked; see backend.ts.
 */
import { PAGE_SIZE } from '../../shared/limits.ts';
import { RESERVED_DEVICE, makeReserved, rwxOfProt } from '../../shared/pte.ts';
import { AREA_PROT } from '../areas/area-flags.ts';
import type { BackendResult } from '../areas/mapping-backend.ts';
import { reserveRange } from '../paging/map-range.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { MachineBackend, done } from './backend.ts';

export class DeviceBackend extends MachineBackend {
  readonly kind = 'device';
  override readonly isSpecial = true;

  map(start: number, size: number, flags: number, op: RangeOp): BackendResult {
    const entry = makeReserved(RESERVED_DEVICE, this.record, rwxOfProt(flags & AREA_PROT), true);
    return done(reserveRange(op, start / PAGE_SIZE, (start + size) / PAGE_SIZE, entry));
  }
}
