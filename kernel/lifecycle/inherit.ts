/** What a child inherits of its parent's memory: the shared mappings, at the same addresses. */
import { USER_PAGES, USER_SPACE_END } from '../../shared/limits.ts';
import type { SpaceBlock } from '../../shared/units.ts';
import { AREA_SHARED } from '../machine/area-flags.ts';
import { backendOf } from '../backends/registry.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertNoLockHeld } from '../machine/held-locks.ts';
import { MemoryArea } from '../areas/memory-area.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { mappingErrno } from '../syscalls/mmap.ts';
import { areasOf } from '../space/space.ts';

/**
 * Maps the shared areas of `parent` into the empty space `child`. 0, -ENOMEM, or what a module
 * answers that arranges its pages itself (backends/arranged.ts).
 * Locks the parent's areas, then the child's, which nobody else can reach yet.
 */
export function inheritShared(cpu: Cpu, parent: SpaceBlock, child: SpaceBlock): number {
  assertNoLockHeld(cpu);
  const { protocol } = cpu.machine;
  let outcome = 0;
  protocol.lockAreas(cpu, parent);
  protocol.lockAreas(cpu, child);
  const from = areasOf(cpu, parent);
  const to = areasOf(cpu, child);
  const op = openRange(cpu, child, 0, USER_PAGES);
  op.copiedFrom = parent;
  let area = from.nextArea(0);
  while (area !== null && outcome === 0) {
    if ((area.flags & AREA_SHARED) !== 0) {
      // Guards stay behind, and with them the identity.
      const backend = backendOf(cpu.machine, area.backend.record);
      const copy = new MemoryArea(area.start, area.size, area.flags, backend);
      const mapped = to.map(copy, op, false);
      if (!mapped.ok) outcome = mappingErrno(mapped.error);
    }
    area = area.end < USER_SPACE_END ? from.nextArea(area.end) : null;
  }
  closeRange(op);
  protocol.unlockAreas(cpu, child);
  protocol.unlockAreas(cpu, parent);
  return outcome;
}
