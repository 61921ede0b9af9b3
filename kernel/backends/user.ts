/**
 * User: pages from a user's backend module, run in the kernel worker.
 *
 * The module is asked before each map, unmap and protect, and may refuse with false; missing pages
 * are supplied by it as a file's are by the file. A CPU without the module (every CPU but the
 * kernel worker's) answers TRY_KERNEL: the operation is rolled back and passed to the kernel
 * worker. The module is not asked when a process ends, nor when only flags change that do not
 * concern access.
 *
 * Called under the areas' lock with the range locked; see backend.ts.
 */
import { peek } from '../../shared/atomics.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import type { ObjectBlock, VirtAddr } from '../../shared/units.ts';
import { AREA_PROT } from '../machine/area-flags.ts';
import type { BackendFailure, BackendResult } from '../areas/mapping-backend.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { recordAt } from '../objects/record.ts';
import { ObjectBackend } from './paged.ts';

/** The cause of a failure that only says: this CPU cannot, the kernel worker can. */
export const TRY_KERNEL_CAUSE = 'TRY_KERNEL';

/** This CPU cannot, the kernel worker can. */
export const ELSEWHERE: BackendFailure = { cause: TRY_KERNEL_CAUSE };
const REFUSED: BackendFailure = { cause: 'EACCES' };

/** The pages of a backend module, which is asked before its ranges change. */
export class UserBackend extends ObjectBackend {
  override withAnon(anon: number): UserBackend {
    return new UserBackend(this.kind, this.record, anon);
  }

  override map(start: VirtAddr, size: number, flags: number, op: RangeOp): BackendResult {
    const { userHooks } = op.cpu;
    if (userHooks === null) return ELSEWHERE;
    if (!userHooks.map(this.host(op), start, size, flags & AREA_PROT)) return REFUSED;
    return super.map(start, size, flags, op);
  }

  override unmap(start: VirtAddr, size: number, op: RangeOp): BackendResult {
    if (op.teardown) return super.unmap(start, size, op);
    const { userHooks } = op.cpu;
    if (userHooks === null) return ELSEWHERE;
    if (!userHooks.unmap(this.host(op), start, size)) return REFUSED;
    return super.unmap(start, size, op);
  }

  override protect(start: VirtAddr, size: number, newFlags: number, op: RangeOp): BackendResult {
    if (op.flagsOnly) return true;
    const { userHooks } = op.cpu;
    if (userHooks === null) return ELSEWHERE;
    if (!userHooks.protect(this.host(op), start, size, newFlags & AREA_PROT)) return REFUSED;
    return super.protect(start, size, newFlags, op);
  }

  private host(op: RangeOp): number {
    const object: ObjectBlock = peek(
      op.cpu.words,
      recordAt(op.cpu.machine, this.record) + RECORD.OBJECT,
    );
    return peek(op.cpu.words, object + OBJECT.HOST);
  }
}
