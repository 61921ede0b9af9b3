/**
 * What programs could find at the end of an execution: the processes, their areas, and what each
 * page reads as. Two final states with the same view differ in nothing that a program can see;
 * which frame holds a page, or whether it was written out, is not in it.
 *
 * Pages that are not there are faulted in, as a program's load would, so nothing else may be asked
 * of the machine afterwards.
 */
import { AREA_ACCOUNT, AREA_PROT, AREA_SHARED } from '../../../kernel/machine/area-flags.ts';
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import { FAULT_DONE } from '../../../kernel/machine/fault-codes.ts';
import { frameWord } from '../../../kernel/machine/machine.ts';
import { peekEntry } from '../../../kernel/paging/table.ts';
import { allPids, processOf } from '../../../kernel/processes/pid-table.ts';
import { areaRows } from '../../../kernel/reports/area-rows.ts';
import type { AreaRow, ObjectNames } from '../../../kernel/reports/area-rows.ts';
import { permissions } from '../../../kernel/reports/maps.ts';
import { peek } from '../../../shared/atomics.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import { isPresent, isSwapped, pfnOf } from '../../../shared/pte.ts';
import { vpnOf } from '../../../shared/units.ts';
import { pageName, rangeName } from './page-names.ts';
import { resolveFault } from './user.ts';

/** Pages of an area that are looked at, and of those never touched the ones that are faulted in. */
const PAGES_MAX = 2048;
const UNTOUCHED_MAX = 4;
/** Faults on a page until it is there. */
const FAULTS_MAX = 3;
const NO_NAMES: ObjectNames = new Map();

/** `cpu` is in kernel mode. A text to be compared, and to be read in a report. */
export function finalView(cpu: Cpu): string {
  const { machine, words } = cpu;
  const parts: string[] = [];
  const seen: number[] = [];
  for (const pid of allPids(machine)) {
    const proc = processOf(machine, pid);
    const space = peek(words, proc + PROCESS.SPACE);
    parts.push(`process ${pid} ${processView(cpu, proc)}`);
    if (space === 0 || seen.includes(space)) continue;
    seen.push(space);
    for (const row of areaRows(cpu, space, NO_NAMES)) parts.push(areaView(cpu, space, row));
  }
  return parts.join('; ');
}

function processView({ words }: Cpu, proc: number): string {
  const state = peek(words, proc + PROCESS.STATE);
  if (state === PROCESS.RUNNING) return 'runs';
  if (state === PROCESS.NEW) return 'is new';
  const signal = peek(words, proc + PROCESS.EXIT_SIGNAL);
  if (signal !== 0) return `ended by signal ${signal}`;
  return `ended with ${peek(words, proc + PROCESS.EXIT_CODE)}`;
}

function areaView(cpu: Cpu, space: number, row: AreaRow): string {
  const startVpn = vpnOf(row.startAddress);
  const pages = vpnOf(row.endAddress) - startVpn;
  const values: string[] = [];
  // Nobody can tell what is behind unreadable pages.
  const looked = (row.flags & AREA_PROT) === 0 ? 0 : Math.min(pages, PAGES_MAX);
  for (let page = 0; page < looked; page++) {
    const value = valueOf(cpu, space, startVpn + page, page < UNTOUCHED_MAX);
    if (value !== '0') values.push(`${pageName(startVpn + page)} = ${value}`);
  }
  // A write that mprotect refuses in the end may have given the area its anonymous identity before,
  // which keeps its memory accounted.
  const rest = row.flags & ~(AREA_ACCOUNT | AREA_PROT | AREA_SHARED);
  const head = [
    `${rangeName(startVpn, pages)}: ${permissions(row.flags)}`,
    ...(rest === 0 ? [] : [`flags 0x${rest.toString(16)}`]),
    ...(row.offset === 0 ? [] : [`offset ${row.offset}`]),
  ];
  return [...head, ...values].join(', ');
}

/** What the first word of a page reads as, or '!' and the FAULT_* code. */
function valueOf(cpu: Cpu, space: number, vpn: number, isFaulted: boolean): string {
  let entry = peekEntry(cpu, space, vpn);
  if (!isPresent(entry) && !isSwapped(entry) && !isFaulted) return '0';
  // The first fault on a page that must be supplied brings it into memory, the second enters it.
  for (let turn = 0; turn < FAULTS_MAX && !isPresent(entry); turn++) {
    const outcome = resolveFault(cpu, space, vpn, false);
    if (outcome !== FAULT_DONE) return `!${outcome}`;
    entry = peekEntry(cpu, space, vpn);
  }
  if (!isPresent(entry)) return '!';
  return String(peek(cpu.words, frameWord(cpu.machine, pfnOf(entry))));
}
