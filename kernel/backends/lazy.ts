/**
 * Lazy: private anonymous memory, zero on demand. Mapping writes reserved entries only, a whole
 * 4 MiB or 4 GiB span as one, however large the range; the first touch of a page allocates it.
 *
 * Called under the areas' lock with the range locked; see backend.ts.
 */
import { PAGE_SIZE } from '../../shared/limits.ts';
import { RESERVED_LAZY, makeReserved, rwxOfProt } from '../../shared/pte.ts';
import { AREA_PROT } from '../areas/area-flags.ts';
import type { BackendResult } from '../areas/mapping-backend.ts';
import { reserveRange } from '../paging/map-range.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { ANONYMOUS } from '../objects/record.ts';
import { MachineBackend, done } from './backend.ts';

export class LazyBackend extends MachineBackend {
  readonly kind = 'anonymous';

  constructor(anon = 0, delta = 0) {
    super(ANONYMOUS, anon, delta);
  }

  map(start: number, size: number, flags: number, op: RangeOp): BackendResult {
    const rwx = rwxOfProt(flags & AREA_PROT);
    const entry = makeReserved(RESERVED_LAZY, ANONYMOUS, rwx, false);
    return done(reserveRange(op, start / PAGE_SIZE, (start + size) / PAGE_SIZE, entry));
  }
}
