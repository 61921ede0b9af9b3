/**
 * The kernel worker's syscall table: what a process asks by comlink or by trap, carried out on the
 * kernel worker's CPU. Results are numbers; negative ones are -errno.
 */
import {
  closeFd,
  fdObject,
  openFd,
  populate,
  processOf,
  releaseFaultObject,
  sysMmap,
  sysMprotect,
  sysMunmap,
} from '../../kernel/index.ts';
import type { Cpu } from '../../kernel/index.ts';
import { peek } from '../../shared/atomics.ts';
import { EACCES, EINVAL, ENOSYS, ESRCH } from '../../shared/errno.ts';
import { O_WRITABLE, P_STATE, PROC_ZOMBIE } from '../../shared/layout.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/mman.ts';
import * as protocol from '../../shared/protocol.ts';
import { inKernel } from './in-kernel.ts';
import type { PageSupply } from './page-supply.ts';

/** Arguments as they come from the wire; a missing one is NaN, which every syscall refuses. */
function argument(args: readonly unknown[], index: number): number {
  const value = args[index];
  return typeof value === 'number' ? value : NaN;
}

export class KernelSyscalls {
  readonly #cpu: Cpu;
  readonly #supply: PageSupply;

  constructor(cpu: Cpu, supply: PageSupply) {
    this.#cpu = cpu;
    this.#supply = supply;
  }

  /** TRAP_* syscalls. Only mmap with MAP_POPULATE of a file answers later. */
  call(op: number, pid: number, args: readonly number[]): number | Promise<number> {
    const proc = this.#process(pid);
    if (proc === 0) return -ESRCH;
    const cpu = this.#cpu;
    const at = (index: number): number => argument(args, index);
    switch (op) {
      case protocol.TRAP_MMAP:
        return this.#mmap(pid, proc, args);
      case protocol.TRAP_MUNMAP:
        return inKernel(cpu, () => sysMunmap(cpu, proc, at(0), at(1)));
      case protocol.TRAP_MPROTECT:
        return inKernel(cpu, () => sysMprotect(cpu, proc, at(0), at(1), at(2)));
      case protocol.TRAP_CLOSE:
        return inKernel(cpu, () => closeFd(cpu, proc, at(0)));
      case protocol.TRAP_GETPID:
        return pid;
      case protocol.TRAP_SCHED_YIELD:
        return 0;
      default:
        return -ENOSYS;
    }
  }

  /** open(2) of an object that the host registered. */
  open(pid: number, object: number, flags: number): number {
    const cpu = this.#cpu;
    const proc = this.#process(pid);
    if (proc === 0) return -ESRCH;
    if (!Number.isInteger(flags) || (flags & M.O_ACCMODE) === M.O_ACCMODE) return -EINVAL;
    const isWritable = peek(cpu.words, object + O_WRITABLE) !== 0;
    if ((flags & M.O_ACCMODE) !== M.O_RDONLY && !isWritable) return -EACCES;
    return inKernel(cpu, () => openFd(cpu, proc, object, flags));
  }

  /** The object behind a descriptor, 0 when there is none. */
  objectOf(pid: number, fd: number): number {
    const proc = this.#process(pid);
    return proc === 0 ? 0 : fdObject(this.#cpu, proc, fd);
  }

  /** The block of a process that has not ended. */
  #process(pid: number): number {
    const proc = processOf(this.#cpu.machine, pid);
    return proc !== 0 && peek(this.#cpu.words, proc + P_STATE) !== PROC_ZOMBIE ? proc : 0;
  }

  #mmap(pid: number, proc: number, args: readonly number[]): number | Promise<number> {
    const cpu = this.#cpu;
    const at = (index: number): number => argument(args, index);
    const [length, prot, flags] = [at(1), at(2), at(3)];
    const address = inKernel(cpu, () =>
      sysMmap(cpu, proc, at(0), length, prot, flags, at(4), at(5)),
    );
    if (address < 0 || (flags & M.MAP_POPULATE) === 0) return address;
    const end = Math.ceil((address + length) / PAGE_SIZE);
    // Linux's rule (populate_vma_page_range): shared pages are read in, private ones made writable.
    const write = (prot & M.PROT_WRITE) !== 0 && (flags & M.MAP_TYPE) === M.MAP_PRIVATE;
    const stop = this.#populate(proc, address / PAGE_SIZE, end, write);
    if (stop.page === end) return address;
    return this.#populateRest(pid, stop, end, write).then(() => address);
  }

  /** Populates until a page must be supplied; `page` is `end` when all is done. */
  #populate(proc: number, vpn: number, end: number, write: boolean): Stop {
    const cpu = this.#cpu;
    return inKernel(cpu, () => {
      const page = populate(cpu, proc, vpn, end, write);
      if (page === end) return { page, object: 0, objectPage: 0 };
      const { faultObject: object, faultPage: objectPage } = cpu;
      // Objects with something behind them are the host's, and live as long as the machine.
      releaseFaultObject(cpu, object);
      return { page, object, objectPage };
    });
  }

  /** mmap succeeds whether or not its pages can be brought in, as on Linux. */
  async #populateRest(pid: number, first: Stop, end: number, write: boolean): Promise<void> {
    let stop = first;
    while (stop.page < end) {
      if ((await this.#supply.supply(stop.object, stop.objectPage)) < 0) return;
      const proc = this.#process(pid);
      if (proc === 0) return;
      stop = this.#populate(proc, stop.page, end, write);
    }
  }
}

interface Stop {
  readonly page: number;
  readonly object: number;
  readonly objectPage: number;
}
