/** The audit of address spaces: tables, entries and areas against each other. */
import { peek } from '../../shared/atomics.ts';
import * as AREA from '../../shared/layout/area.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as LAZY from '../../shared/layout/lazy-flush.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { TABLE_ENTRIES, USER_PAGES, USER_SPACE_END } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import { pagesOf, vpnOf } from '../../shared/units.ts';
import type { ObjectBlock, Pfn, Pte, SpaceBlock, Vpn } from '../../shared/units.ts';
import {
  AREA_LOCKED,
  AREA_NAME,
  AREA_NAME_SHIFT,
  AREA_PROT,
  AREA_SHARED,
  isDataArea,
  isWriter,
} from '../machine/area-flags.ts';
import type { AuditLedger } from './audit-ledger.ts';
import { frameState } from '../frames/buddy.ts';
import type { Cpu } from '../machine/cpu.ts';
import { kindOf } from '../objects/kinds.ts';
import { indexLookup } from '../objects/page-index.ts';
import { isPageCache } from '../objects/pages.ts';
import { ANONYMOUS, recordAt } from '../objects/record.ts';
import { ROOT_LEVEL, pagesAt } from '../machine/cursor.ts';
import { frameField, frameWord } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { allPids, processOf } from '../processes/pid-table.ts';
import type { Area } from '../space/shared-area-store.ts';
import { slabLive, slabOfFrame } from '../frames/slab.ts';
import { areasOf } from '../space/space.ts';
import { tableLevel } from '../paging/table.ts';

/** What is known of the space under audit while its tables are walked in address order. */
interface Walk {
  readonly cpu: Cpu;
  readonly ledger: AuditLedger;
  readonly space: SpaceBlock;
  readonly areas: readonly Area[];
  /** First area that does not end before the walk's position. */
  next: number;
  tables: number;
  resident: number;
}

export function auditSpaces(cpu: Cpu, ledger: AuditLedger): void {
  const users = new Map<SpaceBlock, number>();
  for (const pid of allPids(cpu.machine)) {
    const space: SpaceBlock = peek(cpu.words, processOf(cpu.machine, pid) + PROCESS.SPACE);
    if (space !== 0) users.set(space, (users.get(space) ?? 0) + 1);
  }
  for (const space of liveBlocks(cpu.machine, SLAB.SPACE)) {
    const refs = peek(cpu.words, space + SPACE.REFS);
    const found = users.get(space) ?? 0;
    ledger.check(refs === found, `space ${space}: ${refs} references, ${found} processes`);
    auditSpace(cpu, ledger, space);
    ledger.tally('spaces', 1);
  }
  for (const area of liveBlocks(cpu.machine, SLAB.AREA)) {
    const lock = peek(cpu.words, area + AREA.LOCK);
    ledger.check(lock === 0, `area ${area}: lock held 0x${lock.toString(16)}`);
  }
  for (const [slab, kind] of [
    [SLAB.AREA, 'areas'],
    [SLAB.LAZY, 'lazyRecords'],
  ] as const) {
    const live = slabLive(cpu.machine, slab);
    const found = ledger.checked[kind] ?? 0;
    ledger.check(live === found, `${kind}: ${live} blocks in use, ${found} that spaces have`);
  }
}

/** All blocks of a slab that are in use. */
export function liveBlocks(machine: Machine, slab: number): number[] {
  const blocks: number[] = [];
  const size = SLAB.SIZES[slab] ?? TABLE_ENTRIES;
  for (let pfn = 1; pfn < machine.frames; pfn++) {
    if (frameState(machine, pfn) !== FRAME.SLAB || slabOfFrame(machine, pfn) !== slab) continue;
    const first = frameWord(machine, pfn);
    for (let at = first; at < first + TABLE_ENTRIES; at += size) {
      if (peek(machine.words, at) !== 0) blocks.push(at);
    }
  }
  return blocks;
}

function auditSpace(cpu: Cpu, ledger: AuditLedger, space: SpaceBlock): void {
  const { words } = cpu;
  for (const [name, at] of [
    ['area', SPACE.AREA_LOCK],
    ['rw', SPACE.RW_LOCK],
  ] as const) {
    ledger.check(peek(words, space + at) === 0, `space ${space}: ${name} lock held`);
  }
  const set = areasOf(cpu, space);
  const canonical = peek(words, space + SPACE.UNMERGED) === 0;
  for (const violation of set.verify(canonical)) {
    ledger.check(false, `space ${space}: ${violation}`);
  }
  const areas = set.iter();
  ledger.tally('areas', areas.length);
  for (const { backend, flags } of areas) {
    ledger.useRecord(backend.record, isWriter(flags));
    ledger.useName((flags & AREA_NAME) >> AREA_NAME_SHIFT);
  }
  auditSums(cpu, ledger, space, areas);
  auditLazy(cpu, ledger, space);
  const walk: Walk = { cpu, ledger, space, areas, next: 0, tables: 0, resident: 0 };
  walkTable(walk, peek(words, space + SPACE.ROOT), ROOT_LEVEL, 0);
  endWalk(walk);
  const tables = peek(words, space + SPACE.TABLES);
  ledger.check(
    tables === walk.tables,
    `space ${space}: counts ${tables} tables, has ${walk.tables}`,
  );
  const resident = peek(words, space + SPACE.RESIDENT);
  ledger.check(
    resident === walk.resident,
    `space ${space}: counts ${resident} resident pages, has ${walk.resident}`,
  );
  ledger.inGroup(peek(words, space + SPACE.GROUP), walk.resident);
  ledger.tally('tables', walk.tables);
  ledger.tally('residentPages', walk.resident);
}

/** The sums of pages that the resource limits are compared with. */
function auditSums(cpu: Cpu, ledger: AuditLedger, space: SpaceBlock, areas: readonly Area[]): void {
  let [total, data, locked] = [0, 0, 0];
  for (const { size, flags } of areas) {
    const pages = pagesOf(size);
    total += pages;
    if (isDataArea(flags)) data += pages;
    if ((flags & AREA_LOCKED) !== 0) locked += pages;
  }
  for (const [name, field, sum] of [
    ['all', SPACE.TOTAL_PAGES, total],
    ['data', SPACE.DATA_PAGES, data],
    ['locked', SPACE.LOCKED_PAGES, locked],
  ] as const) {
    const counted = peek(cpu.words, space + field);
    ledger.check(counted === sum, `space ${space}: counts ${counted} ${name} pages, has ${sum}`);
  }
}

/** Frames that a lazy flush holds until every CPU has swept. */
function auditLazy(cpu: Cpu, ledger: AuditLedger, space: SpaceBlock): void {
  const { words } = cpu;
  for (
    let record = peek(words, space + SPACE.LAZY_HEAD);
    record !== 0;
    record = peek(words, record + LAZY.NEXT)
  ) {
    const count = peek(words, record + LAZY.COUNT);
    for (let i = 0; i < count; i++) ledger.refer(peek(words, record + LAZY.FRAMES + i));
    ledger.tally('lazyRecords', 1);
  }
}

/** Walks a table in address order; depth is 3. */
function walkTable(walk: Walk, table: Pfn, level: number, baseVpn: Vpn): void {
  const { cpu, ledger } = walk;
  const { machine } = cpu;
  const sound = frameState(machine, table) === FRAME.TABLE && tableLevel(machine, table) === level;
  ledger.check(sound, `table ${table} at level ${level} is no such table`);
  if (!sound) return;
  const flags = peek(machine.words, frameField(machine, table, FRAME.STATE));
  ledger.check((flags & FRAME.STRAY) === 0, `table ${table} is stray but linked`);
  const lock = peek(machine.words, frameField(machine, table, FRAME.AUX));
  ledger.check(lock === 0, `table ${table}: lock held 0x${lock.toString(16)}`);
  ledger.place(table, `level ${level} of space ${walk.space}`);
  walk.tables++;
  const first = frameWord(machine, table);
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const entry: Pte = peek(machine.words, first + i);
    const vpn = baseVpn + i * pagesAt(level);
    if (level > 0 && pte.isTable(entry)) walkTable(walk, pte.pfnOf(entry), level - 1, vpn);
    else auditEntry(walk, entry, vpn, pagesAt(level));
  }
}

/** One entry that stands for `pages` pages: covered by one area if and only if it is not empty. */
function auditEntry(walk: Walk, entry: Pte, vpn: Vpn, pages: number): void {
  const { ledger, areas } = walk;
  const endVpn = vpn + pages;
  while (walk.next < areas.length && vpnOf((areas[walk.next] as Area).end) <= vpn) walk.next++;
  const area = areas[walk.next];
  const startVpn = area === undefined ? USER_PAGES : vpnOf(area.start);
  const where = `space ${walk.space} VPN 0x${vpn.toString(16)} +${pages}`;
  if (entry === 0) {
    ledger.check(startVpn >= endVpn, `${where}: mapped by an area but empty`);
    return;
  }
  const covered = area !== undefined && startVpn <= vpn && vpnOf(area.end) >= endVpn;
  ledger.check(covered, `${where}: entry 0x${(entry >>> 0).toString(16)} outside every area`);
  if (!covered) return;
  ledger.tally('entries', 1);
  const shared = (area.flags & AREA_SHARED) !== 0;
  ledger.check(
    pte.logicalRwx(entry) === pte.rwxOfProt(area.flags & AREA_PROT),
    `${where}: entry 0x${(entry >>> 0).toString(16)} allows other than its area`,
  );
  ledger.check(((entry & pte.PTE_SHARED) !== 0) === shared, `${where}: shared bit`);
  if (pte.isZeroPage(entry)) {
    const sound = area.backend.record === ANONYMOUS && (entry & pte.PTE_W) === 0;
    ledger.check(sound, `${where}: zero page is writable or not anonymous`);
    ledger.tally('zeroPages', pages);
  } else if (pte.isPresent(entry)) {
    auditPresent(walk, entry, pages, where);
    if (shared) auditSharedPage(walk, entry, vpn, area, where);
  } else auditReserved(walk, entry, area, where);
}

function auditPresent(walk: Walk, entry: Pte, pages: number, where: string): void {
  const { ledger, cpu } = walk;
  const pfn = pte.pfnOf(entry);
  const state = pfn < cpu.machine.frames ? frameState(cpu.machine, pfn) : -1;
  ledger.check(state === FRAME.USED, `${where}: frame ${pfn} has state ${state}`);
  ledger.check(pages === 1 || (entry & pte.PTE_S) !== 0, `${where}: leaf above level 0 without S`);
  ledger.check(
    (entry & pte.PTE_COW) === 0 || (entry & (pte.PTE_W | pte.PTE_SHARED)) === 0,
    `${where}: COW entry is writable or shared`,
  );
  if (state === FRAME.USED) for (let i = 0; i < pages; i++) ledger.refer(pfn + i);
  walk.resident += pages;
}

/** All mappings of a shared page map one frame: the object's frame for that page. */
function auditSharedPage(walk: Walk, entry: Pte, vpn: Vpn, area: Area, where: string): void {
  const { cpu, ledger } = walk;
  const record = recordAt(cpu.machine, area.backend.record);
  const object: ObjectBlock = peek(cpu.words, record + RECORD.OBJECT);
  const page = vpn + peek(cpu.words, record + RECORD.DELTA);
  const base = peek(cpu.words, object + OBJECT.BASE_PFN);
  const { isContiguous, isArranged } = kindOf(cpu.machine, object);
  if (isArranged) {
    const found = pte.pfnOf(entry);
    ledger.check(isPageCache(cpu.machine, found), `${where}: frame ${found} is no object's page`);
    return;
  }
  const pfn = isContiguous ? base + page : indexLookup(cpu, object, page);
  ledger.check(
    pte.pfnOf(entry) === pfn,
    `${where}: frame ${pte.pfnOf(entry)} is not page ${page} of its object, which is ${pfn}`,
  );
}

function auditReserved(walk: Walk, entry: Pte, area: Area, where: string): void {
  const { ledger } = walk;
  ledger.check(pte.isReserved(entry), `${where}: entry is neither present nor reserved`);
  if (pte.reservedKind(entry) === pte.RESERVED_SWAP) {
    ledger.useSlot(pte.reservedSlot(entry));
    ledger.check((area.flags & AREA_SHARED) === 0, `${where}: a shared page in swap`);
    return;
  }
  const record = pte.reservedRecord(entry);
  ledger.check(
    record === area.backend.record,
    `${where}: record ${record}, its area has ${area.backend.record}`,
  );
  if (pte.isGuard(entry)) {
    ledger.check(!area.backend.isSpecial, `${where}: guard in a device's memory`);
    ledger.tally('guards', 1);
    return;
  }
  const kind = pte.reservedKind(area.backend.reserved(area.flags));
  const found = pte.reservedKind(entry);
  ledger.check(found === kind, `${where}: reserved kind ${found}, its area needs ${kind}`);
}

/** Areas beyond the last entry cannot have entries: every slot of the root was visited. */
function endWalk(walk: Walk): void {
  const last = walk.areas[walk.areas.length - 1];
  walk.ledger.check(
    last === undefined || last.end <= USER_SPACE_END,
    `space ${walk.space}: an area ends beyond user space`,
  );
}
