/** The areas that execve makes: program, interpreter, stack and vdso, as they were recorded. */
import { storeWide } from '../../../kernel/frames/wide.ts';
import * as M from '../../../shared/abi/mman.ts';
import { ARCH_MAP_VDSO_64 } from '../../../shared/abi/prctl.ts';
import { SYS_ARCH_PRCTL, SYS_MMAP } from '../../../shared/abi/syscall-numbers.ts';
import * as SPACE from '../../../shared/layout/space.ts';
import { PAGE_SIZE, VDSO_PAGES, VVAR_PAGES, VVAR_VCLOCK_PAGES } from '../../../shared/limits.ts';
import type { MapsLine } from '../../difftest/maps-text.ts';
import type { ReplayFiles } from '../machine/replay-files.ts';
import type { ReplayMachine } from '../machine/replay-machine.ts';
import type { ReplayProcess } from '../machine/replay-process.ts';

/** Areas of the kernel's own, by name. */
const VDSO_NAMES = /^\[(?:vvar|vvar_vclock|vdso)\]$/;
const VDSO_BYTES: number = (VVAR_PAGES + VVAR_VCLOCK_PAGES + VDSO_PAGES) * PAGE_SIZE;

/** Lines of maps that are no area of the process's own. */
export function isOutside({ name }: MapsLine): boolean {
  return name === '[vsyscall]';
}

/** Maps them all. The number of those that could not be mapped as they were. */
export function mapFirstAreas(
  machine: ReplayMachine,
  files: ReplayFiles,
  process: ReplayProcess,
  areas: readonly MapsLine[],
): number {
  process.space.hasFirstAreas = true;
  let failed = 0;
  const vdso = areas.filter(({ name }) => VDSO_NAMES.test(name));
  const isWhole = mapVdso(machine, process, vdso);
  for (const area of areas) {
    if (isOutside(area) || (isWhole && VDSO_NAMES.test(area.name))) continue;
    if (!mapArea(machine, files, process, area)) failed++;
  }
  return failed;
}

/** As one, if they are as large as this machine's and lie as they do there. */
function mapVdso(
  machine: ReplayMachine,
  process: ReplayProcess,
  areas: readonly MapsLine[],
): boolean {
  const [first, , last] = areas;
  if (first === undefined || last === undefined) return false;
  const isLike = first.name === '[vvar]' && last.end - first.start === VDSO_BYTES;
  const place = process.space.relocation.place(first.start);
  if (!isLike || place === null) return false;
  return machine.syscall(process.proc, SYS_ARCH_PRCTL, ARCH_MAP_VDSO_64, place) > 0;
}

function mapArea(
  machine: ReplayMachine,
  files: ReplayFiles,
  process: ReplayProcess,
  { start, end, permissions, offset, name }: MapsLine,
): boolean {
  const place = process.space.relocation.place(start);
  if (place === null) return false;
  const isFile = name.startsWith('/');
  const isStack = name === '[stack]';
  let flags = M.MAP_FIXED_NOREPLACE;
  flags |= permissions.endsWith('s') ? M.MAP_SHARED : M.MAP_PRIVATE;
  if (!isFile) flags |= M.MAP_ANONYMOUS;
  if (isStack) flags |= M.MAP_GROWSDOWN;
  const { proc } = process;
  const fd = isFile ? files.open(proc, name, M.O_RDWR) : -1;
  const from = isFile ? parseInt(offset, 16) : 0;
  const prot = protectionOf(permissions);
  const at = machine.syscall(proc, SYS_MMAP, place, end - start, prot, flags, fd, from);
  files.close(proc, fd);
  if (isStack && at === place) {
    storeWide(
      machine.machine,
      process.block + SPACE.START_STACK,
      place + (end - start) - PAGE_SIZE,
    );
  }
  return at === place;
}

function protectionOf(permissions: string): number {
  return (
    (permissions[0] === 'r' ? M.PROT_READ : 0) |
    (permissions[1] === 'w' ? M.PROT_WRITE : 0) |
    (permissions[2] === 'x' ? M.PROT_EXEC : 0)
  );
}
