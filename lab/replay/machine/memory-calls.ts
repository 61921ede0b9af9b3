/** The memory syscalls of a recording, carried out on the machine, and what they should return. */
import { storeWide } from '../../../kernel/frames/wide.ts';
import { copyToUser } from '../../../kernel/mmu/user-copy.ts';
import * as E from '../../../shared/abi/errno.ts';
import * as M from '../../../shared/abi/mman.ts';
import { PR_SET_VMA, PR_SET_VMA_ANON_NAME } from '../../../shared/abi/prctl.ts';
import * as S from '../../../shared/abi/syscall-numbers.ts';
import * as SPACE from '../../../shared/layout/space.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../../shared/limits.ts';
import { FlagValues } from '../strace/flag-values.ts';
import type { CallText } from '../strace/call-text.ts';
import type { ReplayFiles } from './replay-files.ts';
import type { ReplayMachine } from './replay-machine.ts';
import type { ReplayProcess } from './replay-process.ts';
import { boundPlacement } from './replay-space.ts';
import { inferAreas } from './infer-areas.ts';
import { SCRATCH, SCRATCH_PAGES, withScratch } from './scratch.ts';
import type { SkipReason, Verdict } from './verdict.ts';

export interface MemoryCallOptions {
  /** The machine chooses addresses itself. */
  readonly native: boolean;
}
/** Calls with the arguments {address, length, flags}. */
const RANGE_CALLS: Readonly<Record<string, number>> = {
  mprotect: S.SYS_MPROTECT,
  pkey_mprotect: S.SYS_MPROTECT,
  madvise: S.SYS_MADVISE,
  msync: S.SYS_MSYNC,
  mlock: S.SYS_MLOCK,
  mlock2: S.SYS_MLOCK2,
  munlock: S.SYS_MUNLOCK,
  mseal: S.SYS_MSEAL,
};

/** Failures of mmap that are the file's. */
const OF_THE_FILE: ReadonlySet<string> = new Set(['EACCES', 'EBADF', 'ENODEV', 'EPERM', 'ETXTBSY']);

export class MemoryCalls {
  readonly verdict: Verdict = { skipped: '', got: 0, wanted: 0, isChoice: false };
  /** Pages that had to be mapped because a call needs them, and nothing says who mapped them. */
  inferredPages = 0;
  readonly #machine: ReplayMachine;
  readonly #files: ReplayFiles;
  readonly #native: boolean;
  readonly #flags = new FlagValues();
  readonly #errnos = new Map<string, number>();

  constructor(machine: ReplayMachine, files: ReplayFiles, { native }: MemoryCallOptions) {
    this.#machine = machine;
    this.#files = files;
    this.#native = native;
  }

  /** Carries out a call that has returned. The verdict holds until the next call. */
  carryOut(process: ReplayProcess, name: string, call: CallText): Verdict {
    const { verdict } = this;
    verdict.skipped = '';
    verdict.isChoice = false;
    const { result } = call;
    if (Number.isNaN(result)) return this.#skip('not understood');
    verdict.wanted = call.errno === '' ? result : -this.#errno(call.errno);
    switch (name) {
      case 'mmap':
        return this.#mmap(process, call);
      case 'mremap':
        return this.#mremap(process, call);
      case 'brk':
        return this.#brk(process, call);
      case 'munmap':
        return this.unmap(process, call);
      case 'mincore':
        return this.#mincore(process, call);
      case 'prctl':
        return this.#prctl(process, call);
      case 'mlockall':
        return this.#number(process, S.SYS_MLOCKALL, this.#flags.of(call.argument(0)));
      case 'munlockall':
        return this.#number(process, S.SYS_MUNLOCKALL, 0);
      default:
        return this.#range(process, RANGE_CALLS[name] ?? 0, call);
    }
  }

  /** munmap, whose result may not be known yet. */
  unmap(process: ReplayProcess, call: CallText): Verdict {
    const { verdict } = this;
    verdict.skipped = '';
    verdict.isChoice = false;
    const start = process.space.relocation.place(call.number(0));
    if (start === null) return this.#skip('beyond this machine');
    verdict.got = this.#machine.syscall(process.proc, S.SYS_MUNMAP, start, call.number(1));
    if (Number.isNaN(call.result)) verdict.wanted = 0;
    return verdict;
  }

  /** A call that was carried out when it began has returned now. */
  returned(call: CallText, got: number): Verdict {
    const { verdict } = this;
    verdict.skipped = '';
    verdict.isChoice = false;
    verdict.got = got;
    verdict.wanted = call.errno === '' ? call.result : -this.#errno(call.errno);
    return verdict;
  }

  #skip(reason: SkipReason): Verdict {
    this.verdict.skipped = reason;
    return this.verdict;
  }

  /** An errno that this machine does not have is a number that it never returns. */
  #errno(name: string): number {
    let errno = this.#errnos.get(name);
    if (errno === undefined) {
      errno = E.errnoNamed(name) || 4000;
      this.#errnos.set(name, errno);
    }
    return errno;
  }

  #mmap(process: ReplayProcess, call: CallText): Verdict {
    const { verdict } = this;
    const { relocation } = process.space;
    const length = call.number(1);
    const prot = this.#flags.of(call.argument(2));
    const flags = this.#flags.of(call.argument(3));
    const offset = call.number(5);
    if (Number.isNaN(length + prot + flags + offset)) return this.#skip('not understood');
    const isFixed = (flags & (M.MAP_FIXED | M.MAP_FIXED_NOREPLACE)) !== 0;
    const isFile = (flags & M.MAP_ANONYMOUS) === 0;
    if (isFile && OF_THE_FILE.has(call.errno)) return this.#skip('depends on the host');
    const isDone = verdict.wanted >= 0;
    const place = isDone ? relocation.place(verdict.wanted) : null;
    if (isDone && place === null) return this.#skip('beyond this machine');
    if (place !== null) verdict.wanted = place;
    const hint = relocation.place(call.number(0));
    let address = isFixed || !isDone ? (hint ?? USER_SPACE_END) : (place as number);
    // Linux has chosen the address, unless it was asked for.
    const isChosen = isDone && !isFixed && (hint === 0 || hint !== place);
    const hasChoice = this.#native && isChosen;
    if (hasChoice) {
      boundPlacement(this.#machine, process.proc, process.block, process.space, address + length);
      address = 0;
      verdict.isChoice = true;
    }
    const fd = isFile ? this.#openFile(process, call) : -1;
    const map = (at: number, extra: number): number =>
      this.#machine.syscall(process.proc, S.SYS_MMAP, at, length, prot, flags | extra, fd, offset);
    verdict.got = map(address, isChosen && !hasChoice ? M.MAP_FIXED_NOREPLACE : 0);
    this.#mend(process, length, map);
    this.#files.close(process.proc, fd);
    return verdict;
  }

  /** After a difference: what was mapped goes, what was recorded comes. */
  #mend(
    process: ReplayProcess,
    length: number,
    map: (address: number, extraFlags: number) => number,
  ): void {
    const { got, wanted } = this.verdict;
    if (got === wanted) return;
    if (got >= 0) this.#machine.syscall(process.proc, S.SYS_MUNMAP, got, length);
    if (wanted >= 0) map(wanted, M.MAP_FIXED);
  }

  #openFile(process: ReplayProcess, call: CallText): number {
    const fd = call.number(4);
    const known = process.descriptors.get(fd);
    const path = call.path(4) || (known?.path ?? `descriptor ${fd} of ${process.recorded}`);
    return this.#files.open(process.proc, path, known?.flags ?? M.O_RDWR);
  }

  #mremap(process: ReplayProcess, call: CallText): Verdict {
    const { verdict } = this;
    const { relocation } = process.space;
    let flags = this.#flags.of(call.argument(3));
    const old = relocation.place(call.number(0));
    const oldLength = call.number(1);
    if (Number.isNaN(flags + oldLength)) return this.#skip('not understood');
    if (old === null) return this.#skip('beyond this machine');
    let target = 0;
    if ((flags & (M.MREMAP_FIXED | M.MREMAP_DONTUNMAP)) !== 0) {
      target = relocation.place(call.number(4)) ?? 0;
    }
    if (verdict.wanted >= 0) {
      const place = relocation.place(verdict.wanted);
      if (place === null) return this.#skip('beyond this machine');
      verdict.wanted = place;
      const hasMoved = place !== old && (flags & M.MREMAP_FIXED) === 0;
      if (hasMoved && this.#native) verdict.isChoice = true;
      else if (hasMoved) {
        flags |= M.MREMAP_FIXED;
        target = place;
      }
    }
    const { proc } = process;
    const length = call.number(2);
    const remap = (): number =>
      this.#machine.syscall(proc, S.SYS_MREMAP, old, oldLength, length, flags, target);
    verdict.got = remap();
    if (this.#infers(process, old, old + oldLength)) verdict.got = remap();
    if (verdict.isChoice && verdict.got >= 0 && verdict.got !== verdict.wanted) {
      const move = M.MREMAP_MAYMOVE | M.MREMAP_FIXED;
      const { got, wanted } = verdict;
      this.#machine.syscall(proc, S.SYS_MREMAP, got, length, length, move, wanted);
    }
    return verdict;
  }

  #brk(process: ReplayProcess, call: CallText): Verdict {
    const { verdict } = this;
    const { space } = process;
    const wanted = space.relocation.place(verdict.wanted);
    if (wanted === null) return this.#skip('beyond this machine');
    verdict.wanted = wanted;
    const { machine } = this.#machine;
    if (!space.hasBreak) {
      space.hasBreak = true;
      storeWide(machine, process.block + SPACE.START_BRK, wanted);
      storeWide(machine, process.block + SPACE.BRK, wanted);
    }
    const asked = call.number(0);
    const address = asked === 0 ? 0 : (space.relocation.place(asked) ?? USER_SPACE_END + 1);
    verdict.got = this.#machine.syscall(process.proc, S.SYS_BRK, address);
    return verdict;
  }

  #range(process: ReplayProcess, number: number, call: CallText): Verdict {
    const { verdict } = this;
    const start = process.space.relocation.place(call.number(0));
    const length = call.number(1);
    const flags = call.count > 2 ? this.#flags.of(call.argument(2)) : 0;
    if (Number.isNaN(flags + length)) return this.#skip('not understood');
    if (start === null) return this.#skip('beyond this machine');
    verdict.got = this.#machine.syscall(process.proc, number, start, length, flags);
    if (this.#infers(process, start, start + length)) {
      verdict.got = this.#machine.syscall(process.proc, number, start, length, flags);
    }
    return verdict;
  }

  #number(process: ReplayProcess, number: number, argument: number): Verdict {
    if (Number.isNaN(argument)) return this.#skip('not understood');
    this.verdict.got = this.#machine.syscall(process.proc, number, argument);
    return this.verdict;
  }

  #mincore(process: ReplayProcess, call: CallText): Verdict {
    const start = process.space.relocation.place(call.number(0));
    const length = call.number(1);
    if (start === null || !(length <= SCRATCH_PAGES * PAGE_SIZE * PAGE_SIZE)) {
      return this.#skip('beyond this machine');
    }
    return this.#withScratch(process, () => {
      const ask = (): number =>
        this.#machine.syscall(process.proc, S.SYS_MINCORE, start, length, SCRATCH);
      this.verdict.got = ask();
      if (this.#infers(process, start, start + length)) this.verdict.got = ask();
    });
  }

  /** Names of memory; of the other options the machine knows nothing. */
  #prctl(process: ReplayProcess, call: CallText): Verdict {
    if (call.argument(0) !== 'PR_SET_VMA') return this.#skip('not about memory');
    // A Linux without names answers so.
    if (call.errno === 'EINVAL') return this.#skip('depends on the host');
    const start = process.space.relocation.place(call.number(2));
    const length = call.number(3);
    const [, text] = /^"(.*)"$/.exec(call.argument(4)) ?? [];
    if (start === null) return this.#skip('beyond this machine');
    if (text === undefined && call.number(4) !== 0) return this.#skip('not understood');
    return this.#withScratch(process, () => {
      const name = new TextEncoder().encode(`${text ?? ''}\0`);
      copyToUser(this.#machine.cpu, process.block, SCRATCH, name);
      const { proc } = process;
      const [kind, from] = [PR_SET_VMA_ANON_NAME, text === undefined ? 0 : SCRATCH];
      const ask = (): number =>
        this.#machine.syscall(proc, S.SYS_PRCTL, PR_SET_VMA, kind, start, length, from);
      this.verdict.got = ask();
      if (this.#infers(process, start, start + length)) this.verdict.got = ask();
    });
  }

  #withScratch(process: ReplayProcess, work: () => void): Verdict {
    const isThere = withScratch(this.#machine, process.proc, work);
    return isThere ? this.verdict : this.#skip('beyond this machine');
  }

  /** Whether areas were missing that the recording does not show: the call is to be repeated. */
  #infers(process: ReplayProcess, start: number, end: number): boolean {
    const { got, wanted } = this.verdict;
    if ((got !== -E.ENOMEM && got !== -E.EFAULT) || wanted < 0) return false;
    const pages = inferAreas(this.#machine, process, start, end);
    this.inferredPages += pages;
    return pages > 0;
  }
}
