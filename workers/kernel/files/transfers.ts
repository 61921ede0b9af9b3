/**
 * read(2) and write(2) as their caller sees them: the kernel stops a transfer where a page must be
 * supplied and after TRANSFER_BATCH_BYTES, and here the rest is asked for, in a later turn.
 *
 * Guarantees: no byte is transferred twice, so a long transfer costs no more than many short ones.
 * Transfers at the position of one open file run one after the other (Linux: f_pos_lock).
 */
import { fdFile, livingProcess, putFile } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { TRANSFER_BATCH_BYTES, TRANSFER_BYTES_MAX } from '../../../shared/limits.ts';
import { SYS_PREAD, SYS_PWRITE, SYS_READ, SYS_WRITE } from '../../../shared/abi/syscalls.ts';
import { inKernel } from '../in-kernel.ts';
import type { Turns } from '../turns.ts';

type Syscall = (number: number, pid: number, args: readonly unknown[]) => number | Promise<number>;

const TRANSFERS: readonly number[] = [SYS_READ, SYS_WRITE, SYS_PREAD, SYS_PWRITE];

export class Transfers {
  readonly #cpu: Cpu;
  readonly #turns: Turns;
  readonly #syscall: Syscall;
  /** Open files whose position is being moved by a transfer that waits for a page. */
  readonly #moving = new Map<number, Promise<number>>();

  /** `syscall` carries out one call of the kernel's. */
  constructor(cpu: Cpu, turns: Turns, syscall: Syscall) {
    this.#cpu = cpu;
    this.#turns = turns;
    this.#syscall = syscall;
  }

  static isTransfer(number: number): boolean {
    return TRANSFERS.includes(number);
  }

  /** All that can be transferred, or -errno. */
  call(number: number, pid: number, args: readonly unknown[]): number | Promise<number> {
    if (number === SYS_PREAD || number === SYS_PWRITE) return this.#rest(number, pid, args, 0);
    const file = this.#fileOf(pid, args[0]);
    const moving = this.#moving.get(file);
    if (moving !== undefined) return moving.then(() => this.call(number, pid, args));
    const result = this.#rest(number, pid, args, 0);
    if (typeof result === 'number' || file === 0) return result;
    const end = result.finally(() => this.#moving.delete(file));
    this.#moving.set(
      file,
      end.catch(() => 0),
    );
    return end;
  }

  /** Goes on after `done` bytes, until nothing more comes. */
  #rest(
    number: number,
    pid: number,
    args: readonly unknown[],
    done: number,
  ): number | Promise<number> {
    const length = Math.min(Number(args[2]), TRANSFER_BYTES_MAX);
    for (let count = done; ;) {
      const result = this.#syscall(number, pid, count === 0 ? args : advance(args, count));
      if (typeof result !== 'number') {
        return result.then((more) => {
          if (!(more > 0 && count + more < length)) return total(count, more);
          return this.#rest(number, pid, args, count + more);
        });
      }
      if (!(result > 0 && count + result < length)) return total(count, result);
      count += result;
      if (result >= TRANSFER_BATCH_BYTES) {
        const next = count;
        return this.#turns.next().then(() => this.#rest(number, pid, args, next));
      }
    }
  }

  #fileOf(pid: number, fd: unknown): number {
    const cpu = this.#cpu;
    // It may have ended while its transfer waited for another one's.
    const proc = livingProcess(cpu.machine, pid);
    if (proc === 0) return 0;
    return inKernel(cpu, () => {
      const file = fdFile(cpu, proc, Number(fd));
      if (file !== 0) putFile(cpu, file);
      return file;
    });
  }
}

/** {fd, address, length, offset} of the rest; the kernel moves a position itself. */
function advance(args: readonly unknown[], done: number): number[] {
  const [fd = NaN, address = NaN, length = NaN, offset = NaN] = args as readonly number[];
  return [fd, address + done, length - done, offset + done];
}

/** What the caller gets when the last part answered `last`. */
function total(done: number, last: number): number {
  return last > 0 || done === 0 ? done + last : done;
}
