/**
 * Lazy: private anonymous memory, zero on demand. Mapping writes reserved entries only, a whole
 * 4 MiB or 4 GiB span as one, however large the range; the first touch of a page allocates it.
 *
 * Called under the areas' lock with the range locked; see backend.ts.
 */
import { RESERVED_LAZY, makeReserved, rwxOfProt } from '../../shared/pte.ts';
import type { Pte } from '../../shared/units.ts';
import { AREA_PROT } from '../machine/area-flags.ts';
import { ANONYMOUS } from '../objects/record.ts';
import { MachineBackend } from './backend.ts';

export class LazyBackend extends MachineBackend {
  readonly kind = 'anonymous';

  constructor(anon = 0, delta = 0) {
    super(ANONYMOUS, anon, delta);
  }

  reserved(flags: number): Pte {
    return makeReserved(RESERVED_LAZY, ANONYMOUS, rwxOfProt(flags & AREA_PROT), false);
  }
}
