/** /proc/PID/smaps: what each area holds, in the text of Linux 6.18 on x86-64. Sizes in KiB. */
import { PAGE_SIZE } from '../../shared/limits.ts';
import { vpnOf } from '../../shared/units.ts';
import type { Pid } from '../../shared/units.ts';
import * as F from '../machine/area-flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import { spaceOfPid } from '../processes/pid-table.ts';
import { areaRows } from './area-rows.ts';
import type { AreaRow, ObjectNames } from './area-rows.ts';
import { mapsLine } from './maps.ts';
import { PageUse, addPageUse, shareKib } from './page-use.ts';

/** The text of /proc/PID/smaps; null when there is no such process. */
export function formatSmaps(cpu: Cpu, pid: Pid, names: ObjectNames): string | null {
  const space = spaceOfPid(cpu, pid);
  if (space === 0) return null;
  let text = '';
  for (const row of areaRows(cpu, space, names)) {
    const use = new PageUse();
    addPageUse(cpu, space, vpnOf(row.startAddress), vpnOf(row.endAddress), row.kind, use);
    text += mapsLine(row) + block(row, use);
  }
  return text;
}

function block(row: AreaRow, use: PageUse): string {
  const locked = (row.flags & F.AREA_LOCKED) !== 0;
  const sizes: readonly (readonly [string, number])[] = [
    ['Size', (row.endAddress - row.startAddress) / 1024],
    ['KernelPageSize', PAGE_SIZE / 1024],
    ['MMUPageSize', PAGE_SIZE / 1024],
    ['Rss', use.rss / 1024],
    ['Pss', shareKib(use.pss)],
    ['Pss_Dirty', shareKib(use.pssDirty)],
    ['Shared_Clean', use.sharedClean / 1024],
    ['Shared_Dirty', use.sharedDirty / 1024],
    ['Private_Clean', use.privateClean / 1024],
    ['Private_Dirty', use.privateDirty / 1024],
    ['Referenced', use.referenced / 1024],
    ['Anonymous', use.anonymous / 1024],
    ['KSM', 0],
    ['LazyFree', use.lazyFree / 1024],
    ['AnonHugePages', 0],
    ['ShmemPmdMapped', 0],
    ['FilePmdMapped', 0],
    ['Shared_Hugetlb', 0],
    ['Private_Hugetlb', 0],
    ['Swap', use.swap / 1024],
    ['SwapPss', shareKib(use.swapPss)],
    ['Locked', locked ? shareKib(use.pss) : 0],
  ];
  let text = '';
  for (const [name, kib] of sizes) text += `${label(name)}${String(kib).padStart(8)} kB\n`;
  // There are no huge pages, so no area is eligible for them.
  return `${text}${label('THPeligible')}       0\nVmFlags: ${vmFlags(row)}\n`;
}

function label(name: string): string {
  return `${name}:`.padEnd(16);
}

/** The mnemonics of an area's flags in the order of Linux's bits, each followed by a space. */
function vmFlags({ flags, kind, hasGuards }: AreaRow): string {
  const isShared = (flags & F.AREA_SHARED) !== 0;
  const mayWrite = (flags & F.AREA_NO_WRITE) === 0;
  const isDroppable = (flags & F.AREA_DROPPABLE) !== 0;
  const mnemonics: readonly (readonly [string, boolean])[] = [
    ['rd', (flags & 1) !== 0],
    ['wr', (flags & 2) !== 0],
    ['ex', (flags & 4) !== 0],
    // VM_SHARED is for mappings of descriptors that may write; the others have only VM_MAYSHARE.
    ['sh', isShared && (mayWrite || (flags & F.AREA_WRITE_SEALED) !== 0)],
    ['mr', true],
    ['mw', mayWrite],
    ['me', true],
    ['ms', isShared],
    ['gd', (flags & F.AREA_GROWSDOWN) !== 0],
    ['pf', kind.isSpecial],
    ['gu', hasGuards],
    ['lo', (flags & F.AREA_LOCKED) !== 0],
    ['io', kind.isSpecial],
    ['sr', (flags & F.AREA_SEQUENTIAL) !== 0],
    ['rr', (flags & F.AREA_RANDOM) !== 0],
    ['dc', (flags & F.AREA_DONTFORK) !== 0],
    ['de', kind.isSpecial],
    ['lf', (flags & F.AREA_LOCKONFAULT) !== 0],
    ['ac', (flags & F.AREA_ACCOUNT) !== 0],
    ['nr', (flags & F.AREA_NORESERVE) !== 0],
    ['sf', (flags & F.AREA_SYNC) !== 0],
    ['wf', (flags & F.AREA_WIPEONFORK) !== 0],
    ['dd', kind.isSpecial || isDroppable || (flags & F.AREA_DONTDUMP) !== 0],
    ['hg', (flags & F.AREA_HUGEPAGE) !== 0],
    ['nh', (flags & F.AREA_NOHUGEPAGE) !== 0],
    ['mg', (flags & F.AREA_MERGEABLE) !== 0],
    ['dp', isDroppable],
    ['sl', (flags & F.AREA_SEALED) !== 0],
  ];
  let text = '';
  for (const [mnemonic, isSet] of mnemonics) if (isSet) text += `${mnemonic} `;
  return text;
}
