/**
 * Arranged: a user's MappingBackend, run in the kernel worker, which enters its pages into the page
 * table itself. Any page of its object may stand at any address of a mapping, at several too.
 *
 * Unlike UserBackend, which is asked and then mapped as a file is, the module does the work,
 * through a table that the kernel worker hands to it (workers/kernel/files/mapping-table.ts). A CPU
 * without the module answers TRY_KERNEL. Mappings are shared and, like a driver's, never merge, so
 * both parts of a split stay what they are. When a process ends the module unmaps its pages as
 * ever, but can no longer fail.
 *
 * Called under the areas' lock with the range locked; see backend.ts.
 */
import { peek } from '../../shared/atomics.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import { vpnOf } from '../../shared/units.ts';
import type { ObjectBlock, VirtAddr } from '../../shared/units.ts';
import { AREA_PROT } from '../machine/area-flags.ts';
import type { MappingChange } from '../machine/cpu.ts';
import type { BackendResult } from '../areas/mapping-backend.ts';
import { splitSpans } from '../paging/map-range.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { recordAt } from '../objects/record.ts';
import { MachineBackend, done } from './backend.ts';
import { ELSEWHERE } from './user.ts';

/** The pages of a module that enters them into page tables itself. */
export class ArrangedBackend extends MachineBackend {
  /** It has no private pages and no guards. */
  override withAnon(): ArrangedBackend {
    return this;
  }

  override map(start: VirtAddr, size: number, flags: number, op: RangeOp): BackendResult {
    return this.change('map', start, size, flags, op);
  }

  override unmap(start: VirtAddr, size: number, op: RangeOp): BackendResult {
    const result = this.change('unmap', start, size, 0, op);
    return op.teardown ? super.unmap(start, size, op) : result;
  }

  override protect(start: VirtAddr, size: number, newFlags: number, op: RangeOp): BackendResult {
    if (op.flagsOnly) return true;
    // No entry may lie across the boundary of an area, whatever the module does.
    if (!splitSpans(op, vpnOf(start), vpnOf(start + size))) return done(false);
    return this.change('protect', start, size, newFlags, op);
  }

  private change(
    method: MappingChange['method'],
    address: VirtAddr,
    size: number,
    flags: number,
    op: RangeOp,
  ): BackendResult {
    const { userHooks, words, machine } = op.cpu;
    if (userHooks === null) return ELSEWHERE;
    const object: ObjectBlock = peek(words, recordAt(machine, this.record) + RECORD.OBJECT);
    return userHooks.changeMapping({
      method,
      host: peek(words, object + OBJECT.HOST),
      address,
      size,
      prot: flags & AREA_PROT,
      reserved: method === 'unmap' ? 0 : this.reserved(flags),
      record: this.record,
      op,
    });
  }
}
