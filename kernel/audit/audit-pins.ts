/** The audit of pins: blocks against processes, frames and spaces. */
import { peek } from '../../shared/atomics.ts';
import * as PIN from '../../shared/layout/pin.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PIN_PAGES_MAX } from '../../shared/limits.ts';
import type { Pfn, PinBlock, SpaceBlock } from '../../shared/units.ts';
import { slabLive } from '../frames/slab.ts';
import type { Cpu } from '../machine/cpu.ts';
import { allPids, processOf } from '../processes/pid-table.ts';
import type { AuditLedger } from './audit-ledger.ts';
import { liveBlocks } from './audit-spaces.ts';

/** Before the frames, whose counts it explains. */
export function auditPins(cpu: Cpu, ledger: AuditLedger): void {
  const { machine, words } = cpu;
  const pinned = new Map<SpaceBlock, number>();
  let owned = 0;
  for (const pid of allPids(machine)) {
    const proc = processOf(machine, pid);
    const space: SpaceBlock = peek(words, proc + PROCESS.SPACE);
    let previous = 0;
    let pin: PinBlock = peek(words, proc + PROCESS.PINS);
    for (; pin !== 0; pin = peek(words, pin + PIN.NEXT)) {
      const isSound =
        peek(words, pin + PIN.OWNER) === proc && peek(words, pin + PIN.PREVIOUS) === previous;
      ledger.check(isSound, `pin ${pin} of process ${pid}: owner or links`);
      const pages = auditPin(cpu, ledger, pin);
      pinned.set(space, (pinned.get(space) ?? 0) + pages);
      previous = pin;
      if (++owned > slabLive(machine, SLAB.PIN)) break;
    }
  }
  const live = slabLive(machine, SLAB.PIN);
  ledger.check(live === owned, `pins: ${live} blocks, ${owned} that processes own`);
  for (const space of liveBlocks(machine, SLAB.SPACE)) {
    const counted = peek(words, space + SPACE.PINNED_PAGES);
    const found = pinned.get(space) ?? 0;
    ledger.check(counted === found, `space ${space}: ${counted} pinned pages, ${found} found`);
  }
  ledger.tally('pins', owned);
}

/** Counts the frames of a pin; how many there are. */
function auditPin({ words }: Cpu, ledger: AuditLedger, pin: PinBlock): number {
  const pages = peek(words, pin + PIN.PAGES);
  ledger.check(pages > 0 && pages <= PIN_PAGES_MAX, `pin ${pin}: ${pages} pages`);
  for (let i = 0; i < Math.min(pages, PIN_PAGES_MAX); i++) {
    const pfn: Pfn = peek(words, pin + PIN.FRAMES + i);
    ledger.pins.set(pfn, (ledger.pins.get(pfn) ?? 0) + 1);
  }
  return pages;
}
