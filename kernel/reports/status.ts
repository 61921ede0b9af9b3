/**
 * /proc/PID/status and statm, in the text of Linux 6.18. `status` has the lines that apply to this
 * machine, in Linux's order; lines about users, groups, namespaces and mitigations are left out.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { FDS_MAX, PAGE_SIZE } from '../../shared/limits.ts';
import { PROT_EXEC, PROT_WRITE } from '../../shared/abi/mman.ts';
import { bytesOf, pagesOf, vpnOf } from '../../shared/units.ts';
import type { Pid, ProcessBlock, SpaceBlock } from '../../shared/units.ts';
import { AREA_GROWSDOWN } from '../machine/area-flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import { processName } from '../processes/process.ts';
import { processOf, spaceOfPid } from '../processes/pid-table.ts';
import { areaRows } from './area-rows.ts';
import { PageUse, addPageUse } from './page-use.ts';

const PAGE_KIB = PAGE_SIZE / 1024;
const CAPABILITY_DIGITS = 16;
const NO_NAMES: ReadonlyMap<number, string> = new Map();

/** Sizes in pages, except those of PageUse. */
interface SpaceUse {
  readonly use: PageUse;
  readonly total: number;
  readonly peak: number;
  readonly locked: number;
  readonly data: number;
  readonly stack: number;
  readonly exec: number;
}

/** The text of /proc/PID/status; null when there is no such process. `tgid`: its thread group. */
export function formatStatus(cpu: Cpu, pid: Pid, tgid: Pid): string | null {
  const { machine, words } = cpu;
  const proc = processOf(machine, pid);
  if (proc === 0) return null;
  const space: SpaceBlock = peek(words, proc + PROCESS.SPACE);
  // ORDER: a momentary value for a report.
  const threads = space === 0 ? 1 : load(words, space + SPACE.REFS);
  const lines: (readonly [string, string | number])[] = [
    ['Name', escapeName(processName(machine, proc))],
    ['State', stateOf(cpu, proc)],
    ['Tgid', tgid],
    ['Ngid', 0],
    ['Pid', pid],
    ['PPid', peek(words, proc + PROCESS.PARENT)],
    ['TracerPid', 0],
    ['FDSize', FDS_MAX],
    ['Kthread', 0],
  ];
  // A zombie has no memory left, and no lines about it.
  if (space !== 0) lines.push(...memoryLines(cpu, space));
  lines.push(['CoreDumping', 0], ['THP_enabled', 0], ['Threads', threads]);
  if (space !== 0) lines.push(...capabilityLines(peek(words, space + SPACE.CAPABILITIES)));
  return lines.map(([name, value]) => `${name}:\t${value}\n`).join('');
}

/** The text of /proc/PID/statm, in pages: size resident shared text lib data dirty. */
export function formatStatm(cpu: Cpu, pid: Pid): string | null {
  const space = spaceOfPid(cpu, pid);
  if (space === 0) return null;
  const { use, total, data, stack } = spaceUse(cpu, space);
  const shared = pagesOf(use.file + use.shmem);
  // A program's text is not in its simulated memory.
  return `${total} ${pagesOf(use.rss)} ${shared} 0 0 ${data + stack} 0\n`;
}

/** Permitted and effective ones are the same here, and no program gains any. */
function capabilityLines(mask: number): (readonly [string, string])[] {
  const none = '0'.repeat(CAPABILITY_DIGITS);
  const all = mask.toString(16).padStart(CAPABILITY_DIGITS, '0');
  return [
    ['CapInh', none],
    ['CapPrm', all],
    ['CapEff', all],
    ['CapBnd', all],
    ['CapAmb', none],
  ];
}

function memoryLines(cpu: Cpu, space: SpaceBlock): (readonly [string, string])[] {
  const { words } = cpu;
  const { use, total, peak, locked, data, stack, exec } = spaceUse(cpu, space);
  // ORDER: momentary values for a report.
  const highest = bytesOf(load(words, space + SPACE.RESIDENT_PEAK));
  const tables = load(words, space + SPACE.TABLES);
  const pinned = load(words, space + SPACE.PINNED_PAGES);
  return [
    ['VmPeak', kib(peak * PAGE_KIB)],
    ['VmSize', kib(total * PAGE_KIB)],
    ['VmLck', kib(locked * PAGE_KIB)],
    ['VmPin', kib(pinned * PAGE_KIB)],
    ['VmHWM', kib(Math.max(use.rss, highest) / 1024)],
    ['VmRSS', kib(use.rss / 1024)],
    ['RssAnon', kib(use.anonymous / 1024)],
    ['RssFile', kib(use.file / 1024)],
    ['RssShmem', kib(use.shmem / 1024)],
    ['VmData', kib(data * PAGE_KIB)],
    ['VmStk', kib(stack * PAGE_KIB)],
    ['VmExe', kib(0)],
    ['VmLib', kib(exec * PAGE_KIB)],
    // The root table is not counted, as in Linux.
    ['VmPTE', kib((tables - 1) * PAGE_KIB)],
    ['VmSwap', kib(use.swap / 1024)],
    ['HugetlbPages', kib(0)],
  ];
}

function kib(value: number): string {
  return `${String(value).padStart(8)} kB`;
}

function spaceUse(cpu: Cpu, space: SpaceBlock): SpaceUse {
  const use = new PageUse();
  let stack = 0;
  let exec = 0;
  for (const { startAddress, endAddress, flags, kind } of areaRows(cpu, space, NO_NAMES)) {
    const pages = pagesOf(endAddress - startAddress);
    const startVpn = vpnOf(startAddress);
    addPageUse(cpu, space, startVpn, startVpn + pages, kind, use);
    if ((flags & AREA_GROWSDOWN) !== 0) stack += pages;
    else if ((flags & (PROT_EXEC | PROT_WRITE)) === PROT_EXEC) exec += pages;
  }
  const { words } = cpu;
  return {
    use,
    total: peek(words, space + SPACE.TOTAL_PAGES),
    peak: peek(words, space + SPACE.TOTAL_PEAK),
    locked: peek(words, space + SPACE.LOCKED_PAGES),
    data: peek(words, space + SPACE.DATA_PAGES),
    stack,
    exec,
  };
}

/** R: in user mode at this moment. S: waiting, or not its turn. Z: ended and not waited for. */
function stateOf(cpu: Cpu, proc: ProcessBlock): string {
  const { machine, words } = cpu;
  if (peek(words, proc + PROCESS.STATE) === PROCESS.ZOMBIE) return 'Z (zombie)';
  const base = machine.cpuBase + peek(words, proc + PROCESS.CPU) * CPU.WORDS;
  // ORDER: a momentary value for a report.
  const mode = load(words, base + CPU.MODE);
  const space = (mode >>> CPU.MODE_SPACE_SHIFT) << SPACE.ALIGN_SHIFT;
  const runs =
    (mode & CPU.MODE_MASK) === CPU.MODE_USER && space === peek(words, proc + PROCESS.SPACE);
  return runs ? 'R (running)' : 'S (sleeping)';
}

/** As proc_task_name: newline and backslash are escaped. */
function escapeName(name: string): string {
  return name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
