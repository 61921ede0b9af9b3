/** The audit of records, names, objects, files, descriptors and page indexes. */
import { peek } from '../../shared/atomics.ts';
import * as FILE from '../../shared/layout/file.ts';
import * as DESCRIPTORS from '../../shared/layout/descriptors.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import { AREA_NAMES_MAX, FDS_MAX, TABLE_ENTRIES, USER_PAGES } from '../../shared/limits.ts';
import { pagesOf } from '../../shared/units.ts';
import type { DescriptorsBlock, FileBlock, ObjectBlock, Pfn } from '../../shared/units.ts';
import type { AuditLedger, AuditOptions } from './audit-ledger.ts';
import { liveBlocks } from './audit-spaces.ts';
import type { Cpu } from '../machine/cpu.ts';
import { loadWide } from '../frames/wide.ts';
import { frameWord } from '../machine/machine.ts';
import { nameReferences } from '../objects/area-names.ts';
import { kindOf } from '../objects/kinds.ts';
import { indexNext } from '../objects/page-index.ts';
import { isPageCache } from '../objects/pages.ts';
import { allPids, processOf } from '../processes/pid-table.ts';
import { recordAt } from '../objects/record.ts';

/** After the spaces, which count the areas that use each record and name. */
export function auditObjects(cpu: Cpu, ledger: AuditLedger, options: AuditOptions): void {
  const holders = new Map<ObjectBlock, number>(options.heldObjects ?? []);
  const writers = auditRecords(cpu, ledger, holders);
  auditNames(cpu, ledger);
  auditFiles(cpu, ledger, holders);
  for (const object of liveBlocks(cpu.machine, SLAB.OBJECT)) {
    auditObject(cpu, ledger, object, holders.get(object) ?? 0);
    const counted = peek(cpu.words, object + OBJECT.WRITERS);
    const found = writers.get(object) ?? 0;
    ledger.check(counted === found, `object ${object}: counts ${counted} writers, has ${found}`);
  }
}

/** Notes who holds which object; returns how many areas may write each. */
function auditRecords(
  cpu: Cpu,
  ledger: AuditLedger,
  holders: Map<ObjectBlock, number>,
): Map<ObjectBlock, number> {
  const writers = new Map<ObjectBlock, number>();
  const { machine, words } = cpu;
  for (let i = 0; i < RECORD.DIRECTORY_WORDS; i++) {
    const frame = peek(words, machine.recordDir + i);
    if (frame !== 0) ledger.place(frame, 'the record directory');
  }
  const last = peek(words, BOOT.RECORD_COUNT);
  let live = 0;
  for (let id = 1; id <= last; id++) {
    const at = recordAt(machine, id);
    const refs = peek(words, at + RECORD.REFS);
    const users = ledger.recordUsers.get(id) ?? 0;
    ledger.check(refs === users, `record ${id}: ${refs} references, ${users} areas`);
    if (refs === 0) continue;
    live++;
    const object: ObjectBlock = peek(words, at + RECORD.OBJECT);
    holders.set(object, (holders.get(object) ?? 0) + 1);
    writers.set(object, (writers.get(object) ?? 0) + (ledger.recordWriters.get(id) ?? 0));
  }
  const counted = peek(words, BOOT.RECORD_LIVE);
  ledger.check(counted === live, `records: counter ${counted}, live ${live}`);
  ledger.tally('records', live);
  return writers;
}

function auditNames({ machine }: Cpu, ledger: AuditLedger): void {
  for (let id = 1; id <= AREA_NAMES_MAX; id++) {
    const refs = nameReferences(machine, id);
    const users = ledger.nameUsers.get(id) ?? 0;
    ledger.check(refs === users, `name ${id}: ${refs} references, ${users} areas`);
    if (refs > 0) ledger.tally('names', 1);
  }
}

/** Tables of descriptors against the processes that use them; how many name each description. */
function auditDescriptors(cpu: Cpu, ledger: AuditLedger): Map<FileBlock, number> {
  const users = new Map<DescriptorsBlock, number>();
  for (const pid of allPids(cpu.machine)) {
    const proc = processOf(cpu.machine, pid);
    const table: DescriptorsBlock = peek(cpu.words, proc + PROCESS.DESCRIPTORS);
    if (table !== 0) users.set(table, (users.get(table) ?? 0) + 1);
  }
  const named = new Map<FileBlock, number>();
  for (const table of liveBlocks(cpu.machine, SLAB.DESCRIPTORS)) {
    const refs = peek(cpu.words, table + DESCRIPTORS.REFS);
    const found = users.get(table) ?? 0;
    ledger.check(refs === found, `descriptors ${table}: ${refs} references, ${found} processes`);
    const held = peek(cpu.words, table + DESCRIPTORS.LOCK) !== 0;
    ledger.check(!held, `descriptors ${table}: lock held`);
    users.delete(table);
    for (let fd = 0; fd < FDS_MAX; fd++) {
      const file: FileBlock = peek(cpu.words, table + DESCRIPTORS.FDS + fd);
      if (file !== 0) named.set(file, (named.get(file) ?? 0) + 1);
    }
  }
  ledger.check(users.size === 0, `processes with ${users.size} tables that are free`);
  return named;
}

/** Descriptions against the descriptors that refer to them; each holds its object. */
function auditFiles(cpu: Cpu, ledger: AuditLedger, holders: Map<ObjectBlock, number>): void {
  const descriptors = auditDescriptors(cpu, ledger);
  for (const file of liveBlocks(cpu.machine, SLAB.FILE)) {
    const refs = peek(cpu.words, file + FILE.REFS);
    const found = descriptors.get(file) ?? 0;
    ledger.check(refs === found, `file ${file}: ${refs} references, ${found} descriptors`);
    const object: ObjectBlock = peek(cpu.words, file + FILE.OBJECT);
    holders.set(object, (holders.get(object) ?? 0) + 1);
    descriptors.delete(file);
    ledger.tally('files', 1);
  }
  ledger.check(descriptors.size === 0, `descriptors of ${descriptors.size} files that are free`);
}

function auditObject(cpu: Cpu, ledger: AuditLedger, object: ObjectBlock, holders: number): void {
  const { machine, words } = cpu;
  const refs = peek(words, object + OBJECT.REFS);
  const kind = kindOf(machine, object);
  const name = `${kind.name} object ${object}`;
  ledger.check(refs === holders, `${name}: ${refs} references, ${holders} holders`);
  ledger.check(peek(words, object + OBJECT.LOCK) === 0, `${name}: lock held`);
  const size = loadWide(machine, object + OBJECT.SIZE);
  const pages = peek(words, object + OBJECT.PAGES);
  ledger.check(pages === pagesOf(size), `${name}: ${pages} pages, ${size} bytes`);
  ledger.check(
    loadWide(machine, object + OBJECT.SUPPLIED) <= size,
    `${name}: supplied beyond its end`,
  );
  const beyond = indexNext(cpu, object, pages, USER_PAGES);
  // For a file in memory, a failed write may have left a page there, as on tmpfs.
  ledger.check(beyond < 0 || kind.keepsBeyondEnd, `${name}: page ${beyond} is beyond its end`);
  auditPages(cpu, ledger, object);
  ledger.tally('objects', 1);
}

/** The pages of an object: one reference each. */
function auditPages(cpu: Cpu, ledger: AuditLedger, object: ObjectBlock): void {
  const { words } = cpu;
  if (kindOf(cpu.machine, object).isContiguous) {
    const base = peek(words, object + OBJECT.BASE_PFN);
    for (let i = 0; i < peek(words, object + OBJECT.PAGES); i++) ledger.refer(base + i);
    return;
  }
  const root: Pfn = peek(words, object + OBJECT.INDEX_ROOT);
  if (root !== 0) walkIndex(cpu, ledger, root, peek(words, object + OBJECT.INDEX_HEIGHT) - 1);
}

/** Depth is bounded by the height of an index, 3. */
function walkIndex(cpu: Cpu, ledger: AuditLedger, node: Pfn, level: number): void {
  ledger.place(node, 'a page index');
  const first = frameWord(cpu.machine, node);
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const entry: Pfn = peek(cpu.words, first + i);
    if (entry === 0) continue;
    if (level > 0) walkIndex(cpu, ledger, entry, level - 1);
    else {
      ledger.refer(entry);
      ledger.check(isPageCache(cpu.machine, entry), `frame ${entry} of an object is not marked so`);
    }
  }
}
