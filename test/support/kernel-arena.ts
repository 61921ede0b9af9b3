/**
 * An arena of pages in one process on a small machine, for tests of page-level syscalls: calls go
 * through the syscall table, bytes through the fault handler, as a program's would.
 */
import { expect } from 'vitest';

import type { Cpu } from '../../kernel/machine/cpu.ts';
import { FAULT_DONE } from '../../kernel/machine/fault-codes.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { frameBytesOf } from '../../kernel/faults/page-in.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { areasOf } from '../../kernel/space/space.ts';
import { dispatch } from '../../kernel/syscalls/dispatch.ts';
import { memfdCreate } from '../../kernel/syscalls/open.ts';
import { PAGE_SIZE, SPAN_PAGES } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { testMachine, testProcess } from './kernel-helpers.ts';
import type { TestMachine } from './kernel-helpers.ts';

export const P: number = PAGE_SIZE;
export const NONE: number = M.PROT_NONE;
export const R: number = M.PROT_READ;
export const RW: number = M.PROT_READ | M.PROT_WRITE;
const ANON: number = M.MAP_PRIVATE | M.MAP_ANONYMOUS;
export const SHARED_ANON: number = M.MAP_SHARED | M.MAP_ANONYMOUS;

export class Arena {
  readonly t: TestMachine;
  readonly cpu: Cpu;
  readonly proc: number;
  readonly pid: number;
  readonly space: number;
  /** Page 0 of the arena, three pages below the end of a span, so that ranges cross it. */
  readonly vpn: number = 8 * SPAN_PAGES - 3;

  constructor(options: Parameters<typeof testMachine>[0] = {}) {
    this.t = testMachine(options);
    this.cpu = this.t.cpu;
    ({ pid: this.pid, proc: this.proc, space: this.space } = testProcess(this.t));
  }

  /** The address of a page. */
  at(page: number): number {
    return (this.vpn + page) * P;
  }

  call(number: number, ...args: number[]): number {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
    return dispatch(this.cpu, this.proc, number, a, b, c, d, e, f);
  }

  map(
    page: number,
    pages: number,
    prot: number = RW,
    flags: number = ANON,
    fd = -1,
    off = 0,
  ): void {
    const at = this.at(page);
    const result = this.call(S.SYS_MMAP, at, pages * P, prot, flags | M.MAP_FIXED, fd, off * P);
    expect(result).toBe(at);
  }

  unmap(page: number, pages: number): void {
    expect(this.call(S.SYS_MUNMAP, this.at(page), pages * P)).toBe(0);
  }

  protect(page: number, pages: number, prot: number): void {
    expect(this.call(S.SYS_MPROTECT, this.at(page), pages * P, prot)).toBe(0);
  }

  advise(page: number, pages: number, advice: number): number {
    return this.call(S.SYS_MADVISE, this.at(page), pages * P, advice);
  }

  /** A descriptor of a new memory file of that many pages. */
  memfd(pages: number): number {
    const fd = memfdCreate(this.cpu, this.proc, 100, 0);
    expect(fd).toBeGreaterThan(0);
    expect(this.call(S.SYS_FTRUNCATE, fd, pages * P)).toBe(0);
    return fd;
  }

  fault(page: number, write = false): number {
    return handleFault(this.cpu, this.space, this.vpn + page, write);
  }

  entry(page: number): number {
    return peekEntry(this.cpu, this.space, this.vpn + page);
  }

  /** The first byte of a page, read by a program; minus the fault's code where it is refused. */
  read(page: number): number {
    const outcome = this.fault(page);
    return outcome === FAULT_DONE ? (this.#bytes(page)[0] as number) : -outcome;
  }

  write(page: number, value: number): void {
    expect(this.fault(page, true)).toBe(FAULT_DONE);
    this.#bytes(page)[0] = value;
  }

  #bytes(page: number): Uint8Array {
    const entry = this.entry(page);
    expect(pte.isPresent(entry)).toBe(true);
    return frameBytesOf(this.t.machine, pte.pfnOf(entry));
  }

  /** Areas as [first page, pages, flags]. */
  areas(): [number, number, number][] {
    const areas = areasOf(this.cpu, this.space).iter();
    return areas.map((a) => [a.start / P - this.vpn, a.size / P, a.flags]);
  }

  /** What mincore says of pages; its vector lies on a page far below. */
  mincore(page: number, pages: number): number[] | number {
    const vector = this.at(-64);
    this.map(-64, 1);
    const result = this.call(S.SYS_MINCORE, this.at(page), pages * P, vector);
    if (result !== 0) return result;
    const bytes = Array.from(this.#bytes(-64).subarray(0, pages));
    this.unmap(-64, 1);
    return bytes;
  }
}
