/**
 * Linear: the target is known when it is mapped, physical page = virtual page + constant. Entries
 * are present from the start and never fault; 4 MiB superpages where both sides are aligned.
 *
 * Called under the areas' lock with the range locked; see backend.ts.
 */
import { peek } from '../../shared/atomics.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import { PTE_SHARED, rwxOfProt } from '../../shared/pte.ts';
import { vpnOf } from '../../shared/units.ts';
import type { Pte, VirtAddr } from '../../shared/units.ts';
import { AREA_PROT } from '../machine/area-flags.ts';
import type { BackendResult } from '../areas/mapping-backend.ts';
import { presentRange } from '../paging/map-range.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { recordAt } from '../objects/record.ts';
import { MachineBackend, done } from './backend.ts';

/** The frames of a contiguous object, present from the start. */
export class LinearBackend extends MachineBackend {
  /** It has no private pages and no guards. */
  override withAnon(): LinearBackend {
    return this;
  }

  /** Every page is present. */
  override reserved(): Pte {
    return 0;
  }

  override map(start: VirtAddr, size: number, flags: number, op: RangeOp): BackendResult {
    const { machine, words } = op.cpu;
    const at = recordAt(machine, this.record);
    const base = peek(words, peek(words, at + RECORD.OBJECT) + OBJECT.BASE_PFN);
    const vpn = vpnOf(start);
    const pfn = base + vpn + peek(words, at + RECORD.DELTA);
    const bits = rwxOfProt(flags & AREA_PROT) | PTE_SHARED;
    return done(presentRange(op, vpn, vpnOf(start + size), pfn, bits));
  }
}
