/**
 * The beginning of every operation on a range of an address space.
 *
 * Before it locks the range it does what is due anyway: it releases tables whose grace period is
 * over and frames that every CPU has swept past, and settles the identities of the areas that the
 * operation will look at.
 */
import { peek } from '../../shared/atomics.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { USER_PAGES } from '../../shared/limits.ts';
import { assert } from '../../shared/panic.ts';
import type { SpaceBlock, Vpn } from '../../shared/units.ts';
import { reapLimbo } from '../frames/grace.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld, assertInKernel } from '../machine/held-locks.ts';
import type { Cursor } from '../machine/cursor.ts';
import { sweepLazy } from '../paging/flush-lazy.ts';
import { RangeOp } from '../paging/range-op.ts';
import { settleAnon } from './anon-identity.ts';

/**
 * Locks [startVpn, endVpn) of a space for an operation. The areas' lock is held. An operation on
 * two spaces gives the second a cursor of its own.
 */
export function openRange(
  cpu: Cpu,
  space: SpaceBlock,
  startVpn: Vpn,
  endVpn: Vpn,
  cursor: Cursor = cpu.rangeCursor,
): RangeOp {
  assertInKernel(cpu);
  assertAreasHeld(cpu, space);
  assert(startVpn < endVpn && endVpn <= USER_PAGES, 'openRange: range', startVpn);
  reapLimbo(cpu);
  if (peek(cpu.words, space + SPACE.LAZY_HEAD) !== 0) sweepLazy(cpu, space);
  settleAnon(cpu, space, startVpn, endVpn);
  const op = new RangeOp(cpu, space, cursor);
  cpu.machine.protocol.lockRange(cpu, op.cursor, space, startVpn, endVpn);
  return op;
}
