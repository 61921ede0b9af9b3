/*
 * Goal: files behave as on Linux: positions, short counts, holes, and one page cache for mappings
 * and for read and write. Method: syscalls on a small machine; the test is the host that supplies
 * pages of files. What Linux answers was found by execution on 6.18 (tmpfs).
 */
import { beforeEach, describe, expect, it } from 'vitest';

import type { Cpu } from '../../kernel/machine/cpu.ts';
import { FAULT_BUS, FAULT_DONE, FAULT_WAIT } from '../../kernel/machine/fault-codes.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { releaseFaultObject } from '../../kernel/faults/object-fault.ts';
import { beginPageIn, finishPageIn, frameBytesOf } from '../../kernel/faults/page-in.ts';
import { punchHole } from '../../kernel/files/truncate.ts';
import {
  beginWriteBack,
  cleanObject,
  endWriteBack,
  takeDirty,
} from '../../kernel/files/write-back.ts';
import { putFrame } from '../../kernel/frames/frames.ts';
import { loadWide } from '../../kernel/frames/wide.ts';
import { fdObject } from '../../kernel/objects/fd.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import { nextPage, objectSize } from '../../kernel/objects/pages.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { dispatch } from '../../kernel/syscalls/dispatch.ts';
import { memfdCreate, openObject } from '../../kernel/syscalls/open.ts';
import { WAIT_PAGE } from '../../kernel/machine/wait-codes.ts';
import { copyFromUser, copyToUser } from '../../kernel/mmu/user-copy.ts';
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { FDS_MAX, FILE_BYTES_MAX, PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { expectClean, quiesce, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const P = PAGE_SIZE;
const RW = M.PROT_READ | M.PROT_WRITE;
/** Four pages that may be read and written, and one after them that may not. */
const BUFFER = 2 ** 24;
const GUARD = BUFFER + 4 * P;
const AT = 2 ** 25;

interface Process {
  pid: number;
  proc: number;
  space: number;
}

let t: TestMachine;
let cpu: Cpu;
let a: Process;

beforeEach(() => {
  t = testMachine();
  cpu = t.cpu;
  a = testProcess(t);
  const anonymous = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED;
  call(S.SYS_MMAP, BUFFER, 4 * P, RW, anonymous, -1, 0);
  call(S.SYS_MMAP, GUARD, P, M.PROT_NONE, anonymous, -1, 0);
});

function callOf(p: Process, number: number, ...args: number[]): number {
  const [first = NaN, second = NaN, third = NaN, fourth = NaN, fifth = NaN, sixth = NaN] = args;
  return dispatch(cpu, p.proc, number, first, second, third, fourth, fifth, sixth);
}

function call(number: number, ...args: number[]): number {
  return callOf(a, number, ...args);
}

function memfd(): number {
  const fd = memfdCreate(cpu, a.proc, 0, 0);
  expect(fd).toBeGreaterThan(2);
  return fd;
}

/** Writes text to the file through user memory. */
function put(fd: number, text: string, offset: number): number {
  expect(copyToUser(cpu, a.space, BUFFER, Buffer.from(text))).toBe(text.length);
  return call(S.SYS_PWRITE, fd, BUFFER, text.length, offset);
}

function user(address: number, length: number): string {
  const bytes = new Uint8Array(length);
  expect(copyFromUser(cpu, a.space, address, bytes)).toBe(length);
  return Buffer.from(bytes).toString('latin1');
}

/** Reads text of the file through user memory. */
function get(fd: number, length: number, offset: number): string {
  const count = call(S.SYS_PREAD, fd, BUFFER, length, offset);
  expect(count).toBeGreaterThanOrEqual(0);
  return user(BUFFER, count);
}

function map(fd: number, pages: number, type: number, at: number = AT, page = 0): void {
  expect(call(S.SYS_MMAP, at, pages * P, RW, type | M.MAP_FIXED, fd, page * P)).toBe(at);
}

function sizeOf(fd: number): number {
  return objectSize(cpu, fdObject(cpu, a.proc, fd));
}

/** A host file of that many bytes, 'a' all over its first page, 'b' over its second, … */
function hostFile(bytes: number, writable = true): number {
  const object = createObject(cpu, { kind: OBJECT.FILE, size: bytes, host: 1, writable });
  const fd = openObject(cpu, a.proc, object, writable ? M.O_RDWR : M.O_RDONLY);
  putObject(cpu, object);
  return fd;
}

/** Supplies the page that somebody waits for. */
function supply(): void {
  const { faultObject, faultPage } = cpu;
  const pfn = beginPageIn(cpu);
  const end = loadWide(t.machine, faultObject + OBJECT.SUPPLIED) - faultPage * P;
  frameBytesOf(t.machine, pfn).fill(97 + faultPage, 0, Math.max(0, Math.min(P, end)));
  expect(finishPageIn(cpu, faultObject, faultPage, pfn)).toBe(true);
  releaseFaultObject(cpu, faultObject);
}

/** A transfer as the kernel worker does it: it supplies pages and goes on with the rest. */
function whole(number: number, fd: number, address: number, length: number, at?: number): number {
  let done = 0;
  for (;;) {
    const offset = at === undefined ? [] : [at + done];
    const result = call(number, fd, address + done, length - done, ...offset);
    if (result === -WAIT_PAGE) supply();
    else if (result <= 0) return done > 0 ? done : result;
    else done += result;
    if (done === length) return done;
  }
}

describe('positions and counts', () => {
  it('moves the position by what was transferred, and shares it with a duplicate', () => {
    const fd = memfd();
    const copy = call(S.SYS_DUP, fd);
    expect(put(fd, 'hello, world', 0)).toBe(12);
    expect(call(S.SYS_LSEEK, fd, 0, M.SEEK_CUR)).toBe(0);
    expect(call(S.SYS_READ, fd, BUFFER, 5)).toBe(5);
    expect(call(S.SYS_READ, copy, BUFFER, 100)).toBe(7);
    expect(user(BUFFER, 7)).toBe(', world');
    expect(call(S.SYS_READ, fd, BUFFER, 100)).toBe(0);
    expect(call(S.SYS_CLOSE, fd)).toBe(0);
    expect(call(S.SYS_LSEEK, copy, 0, M.SEEK_CUR)).toBe(12);
    expectClean(t);
  });

  it('shares the position with a child that inherited the descriptor', () => {
    const fd = memfd();
    put(fd, 'abcdef', 0);
    const pid = createProcess(cpu, { name: 'child', cpu: 0, parent: a.pid, inherit: true });
    const child = { pid, proc: processOf(t.machine, pid), space: 0 };
    expect(callOf(child, S.SYS_LSEEK, fd, 4, M.SEEK_SET)).toBe(4);
    expect(call(S.SYS_READ, fd, BUFFER, 10)).toBe(2);
    exitProcess(cpu, pid, 0, 0, 0);
    releaseProcess(cpu, pid);
    expect(call(S.SYS_LSEEK, fd, 0, M.SEEK_CUR)).toBe(6);
    expectClean(t);
  });

  it('stops before a bad page, and says EFAULT when nothing could be transferred', () => {
    const fd = memfd();
    expect(call(S.SYS_PWRITE, fd, GUARD - 96, 200, 0)).toBe(96);
    expect(sizeOf(fd)).toBe(96);
    expect(call(S.SYS_PWRITE, fd, GUARD, 200, 0)).toBe(-E.EFAULT);
    expect(call(S.SYS_PREAD, fd, GUARD - 6, 96, 0)).toBe(6);
    expect(call(S.SYS_PREAD, fd, GUARD, 96, 0)).toBe(-E.EFAULT);
    // At the end of the file nothing is transferred, so nothing is refused.
    expect(call(S.SYS_PREAD, fd, GUARD, 96, 96)).toBe(0);
    expect(call(S.SYS_PWRITE, fd, GUARD, 0, 0)).toBe(0);
    expectClean(t);
  });

  it('ends the file where a write that could copy nothing began, as Linux 6.18 does', () => {
    const fd = memfd();
    expect(call(S.SYS_PWRITE, fd, GUARD, 200, 5000)).toBe(-E.EFAULT);
    expect(sizeOf(fd)).toBe(5000);
    expect(call(S.SYS_PWRITE, fd, GUARD, 200, 2 * P)).toBe(-E.EFAULT);
    expect(sizeOf(fd)).toBe(2 * P);
    // The page that was made for it stays in the cache, behind the end.
    map(fd, 4, M.MAP_SHARED);
    expect(call(S.SYS_MINCORE, AT, 4 * P, BUFFER)).toBe(0);
    expect(user(BUFFER, 4)).toBe('\0\u0001\u0001\0');
    expect(handleFault(cpu, a.space, AT / P + 2, false)).toBe(FAULT_BUS);
    call(S.SYS_FTRUNCATE, fd, 2 * P);
    expect(call(S.SYS_MINCORE, AT, 4 * P, BUFFER)).toBe(0);
    expect(user(BUFFER, 4)).toBe('\0\u0001\0\0');
    expectClean(t);
  });

  it('appends whatever the position or offset', () => {
    const fd = memfd();
    put(fd, '0123456789', 0);
    const object = fdObject(cpu, a.proc, fd);
    const append = openObject(cpu, a.proc, object, M.O_RDWR | M.O_APPEND);
    expect(put(append, 'ab', 0)).toBe(2);
    expect(call(S.SYS_LSEEK, append, 0, M.SEEK_CUR)).toBe(0);
    expect(call(S.SYS_WRITE, append, BUFFER, 2)).toBe(2);
    expect(call(S.SYS_LSEEK, append, 0, M.SEEK_CUR)).toBe(14);
    expect(get(fd, 100, 8)).toBe('89abab');
    expectClean(t);
  });

  it('carries a transfer of many pages at any offset', () => {
    const fd = memfd();
    const bytes = Uint8Array.from({ length: 3 * P }, (_, i) => (i * 31) & 0xff);
    copyToUser(cpu, a.space, BUFFER + 5, bytes);
    expect(call(S.SYS_PWRITE, fd, BUFFER + 5, 3 * P, 1234)).toBe(3 * P);
    copyToUser(cpu, a.space, BUFFER, new Uint8Array(4 * P));
    expect(call(S.SYS_PREAD, fd, BUFFER + 9, 3 * P, 1234)).toBe(3 * P);
    const back = new Uint8Array(3 * P);
    copyFromUser(cpu, a.space, BUFFER + 9, back);
    expect(back).toEqual(bytes);
    expect(get(fd, 1234, 0)).toBe('\0'.repeat(1234));
    expectClean(t);
  });
});

describe('errors', () => {
  it('refuses descriptors that are closed, of the wrong mode, or paths only', () => {
    const fd = memfd();
    const object = fdObject(cpu, a.proc, fd);
    const reader = openObject(cpu, a.proc, object, M.O_RDONLY);
    const writer = openObject(cpu, a.proc, object, M.O_WRONLY);
    const neither = openObject(cpu, a.proc, object, M.O_ACCMODE);
    const path = openObject(cpu, a.proc, object, M.O_PATH | M.O_RDWR);
    for (const bad of [99, -1, 0, 1e9, 2 ** 53, path, neither, writer]) {
      expect(call(S.SYS_READ, bad, BUFFER, 1)).toBe(-E.EBADF);
      expect(call(S.SYS_PREAD, bad, BUFFER, 1, 0)).toBe(-E.EBADF);
    }
    for (const bad of [99, path, neither, reader]) {
      expect(call(S.SYS_WRITE, bad, BUFFER, 1)).toBe(-E.EBADF);
      expect(call(S.SYS_PWRITE, bad, BUFFER, 1, 0)).toBe(-E.EBADF);
    }
    for (const bad of [99, path]) {
      expect(call(S.SYS_LSEEK, bad, 0, 0)).toBe(-E.EBADF);
      expect(call(S.SYS_FTRUNCATE, bad, 0)).toBe(-E.EBADF);
    }
    expect(call(S.SYS_FTRUNCATE, reader, 0)).toBe(-E.EINVAL);
    expect(call(S.SYS_DUP, 99)).toBe(-E.EBADF);
    expect(call(S.SYS_DUP, path)).toBeGreaterThan(path);
    expect(call(S.SYS_MMAP, 0, P, M.PROT_READ, M.MAP_SHARED, neither, 0)).toBe(-E.EACCES);
    expectClean(t);
  });

  it('refuses addresses, offsets and lengths as Linux does', () => {
    const fd = memfd();
    expect(call(S.SYS_READ, fd, -P, 1)).toBe(-E.EFAULT);
    expect(call(S.SYS_READ, fd, USER_SPACE_END, 0)).toBe(0);
    expect(call(S.SYS_READ, fd, USER_SPACE_END + 1, 0)).toBe(-E.EFAULT);
    expect(call(S.SYS_READ, fd, USER_SPACE_END - P, P + 1)).toBe(-E.EFAULT);
    expect(call(S.SYS_READ, fd, BUFFER, -1)).toBe(-E.EFAULT);
    expect(call(S.SYS_WRITE, fd, BUFFER, 2 ** 53)).toBe(-E.EFAULT);
    expect(call(S.SYS_PREAD, 99, BUFFER, 1, -1)).toBe(-E.EINVAL);
    expect(call(S.SYS_PWRITE, fd, BUFFER, 1, -1)).toBe(-E.EINVAL);
    expect(call(S.SYS_PWRITE, fd, BUFFER, 1, FILE_BYTES_MAX)).toBe(-E.EFBIG);
    expect(call(S.SYS_PWRITE, fd, BUFFER, 2, FILE_BYTES_MAX - 1)).toBe(1);
    for (const negative of [-1, 2 ** 63, 2 ** 64 - 8192]) {
      expect(call(S.SYS_FTRUNCATE, 99, negative)).toBe(-E.EINVAL);
      expect(call(S.SYS_PREAD, 99, BUFFER, 1, negative)).toBe(-E.EINVAL);
    }
    expect(call(S.SYS_FTRUNCATE, fd, FILE_BYTES_MAX + 1)).toBe(-E.EFBIG);
    expect(call(S.SYS_FTRUNCATE, fd, FILE_BYTES_MAX)).toBe(0);
    expect(call(S.SYS_FTRUNCATE, fd, 10)).toBe(0);
    for (const offset of [-1, FILE_BYTES_MAX + 1]) {
      expect(call(S.SYS_LSEEK, fd, offset, M.SEEK_SET)).toBe(-E.EINVAL);
    }
    expect(call(S.SYS_LSEEK, fd, -11, M.SEEK_END)).toBe(-E.EINVAL);
    expect(call(S.SYS_LSEEK, fd, -10, M.SEEK_END)).toBe(0);
    call(S.SYS_LSEEK, fd, 10_000, M.SEEK_SET);
    expect(call(S.SYS_LSEEK, fd, 2 ** 64 - 8192, M.SEEK_CUR)).toBe(10_000 - 8192);
    // An unsigned int on Linux: the low half of its register.
    expect(call(S.SYS_LSEEK, fd, 7, 2 ** 40)).toBe(7);
    for (const whence of [-1, 5, 2 ** 40 + 5]) {
      expect(call(S.SYS_LSEEK, fd, 0, whence)).toBe(-E.EINVAL);
    }
    for (const number of [S.SYS_READ, S.SYS_WRITE, S.SYS_PREAD, S.SYS_PWRITE, S.SYS_LSEEK]) {
      for (const bad of [NaN, 0.5, Infinity]) {
        expect(call(number, fd, bad, bad, bad)).toBe(-E.EINVAL);
      }
    }
    expectClean(t);
  });

  it('has neither reads nor positions for devices and regions', () => {
    for (const kind of [OBJECT.DEVICE, OBJECT.LINEAR]) {
      const object = createObject(cpu, { kind, size: P, host: 1, writable: true });
      const fd = openObject(cpu, a.proc, object, M.O_RDWR | M.O_TRUNC);
      putObject(cpu, object);
      expect(call(S.SYS_READ, fd, BUFFER, 1)).toBe(-E.EINVAL);
      expect(call(S.SYS_PWRITE, fd, BUFFER, 1, 0)).toBe(-E.EINVAL);
      expect(call(S.SYS_LSEEK, fd, 0, 0)).toBe(-E.ESPIPE);
      expect(call(S.SYS_FTRUNCATE, fd, 0)).toBe(-E.EINVAL);
    }
    expectClean(t);
  });

  it('opens for writing only what may be written, and runs out of descriptors', () => {
    const object = createObject(cpu, { kind: OBJECT.FILE, size: P, host: 1, writable: false });
    for (const flags of [M.O_WRONLY, M.O_RDWR, M.O_ACCMODE, M.O_RDONLY | M.O_TRUNC]) {
      expect(openObject(cpu, a.proc, object, flags)).toBe(-E.EACCES);
    }
    for (let fd = 3; fd < FDS_MAX; fd++) {
      expect(openObject(cpu, a.proc, object, M.O_RDONLY)).toBe(fd);
    }
    expect(openObject(cpu, a.proc, object, M.O_RDONLY)).toBe(-E.EMFILE);
    expect(call(S.SYS_DUP, 5)).toBe(-E.EMFILE);
    expect(memfdCreate(cpu, a.proc, 0, 0)).toBe(-E.EMFILE);
    call(S.SYS_CLOSE, 7);
    expect(call(S.SYS_DUP, 5)).toBe(7);
    putObject(cpu, object);
    for (const flags of [4, -1, 0.5, 2 ** 40]) {
      expect(memfdCreate(cpu, a.proc, 0, flags)).toBe(-E.EINVAL);
    }
    expectClean(t);
  });
});

describe('one page cache', () => {
  it('shows writes in mappings and stores in reads', () => {
    const fd = memfd();
    call(S.SYS_FTRUNCATE, fd, 3 * P);
    map(fd, 3, M.MAP_SHARED);
    map(fd, 3, M.MAP_PRIVATE, AT + 2 ** 20);
    put(fd, 'written', P + 10);
    expect(user(AT + P + 10, 7)).toBe('written');
    expect(user(AT + 2 ** 20 + P + 10, 7)).toBe('written');
    copyToUser(cpu, a.space, AT + 2 * P, Buffer.from('stored'));
    expect(get(fd, 6, 2 * P)).toBe('stored');
    copyToUser(cpu, a.space, AT + 2 ** 20 + P, Buffer.from('private'));
    expect(get(fd, 7, P)).toBe('\0'.repeat(7));
    expectClean(t);
  });

  it('copies between a file and its own mapping', () => {
    const fd = memfd();
    put(fd, 'abcdefgh', 0);
    map(fd, 1, M.MAP_SHARED);
    expect(call(S.SYS_PREAD, fd, AT + 8, 8, 0)).toBe(8);
    expect(call(S.SYS_FTRUNCATE, fd, 16)).toBe(0);
    expect(call(S.SYS_PWRITE, fd, AT + 8, 8, 16)).toBe(8);
    expect(get(fd, 100, 0)).toBe('abcdefghabcdefghabcdefgh');
    expectClean(t);
  });

  it('makes no pages for what is only read, and finds data and holes', () => {
    const fd = memfd();
    const object = fdObject(cpu, a.proc, fd);
    call(S.SYS_FTRUNCATE, fd, 2 ** 40);
    const before = frameUsage(t.machine).used;
    expect(get(fd, P, 2 ** 39)).toBe('\0'.repeat(P));
    expect(frameUsage(t.machine).used).toBeLessThanOrEqual(before + 1);
    expect(call(S.SYS_LSEEK, fd, 0, M.SEEK_DATA)).toBe(-E.ENXIO);
    put(fd, 'x', 2 ** 39 + 9000);
    const data = 2 ** 39 + 8192;
    expect(call(S.SYS_LSEEK, fd, 0, M.SEEK_DATA)).toBe(data);
    expect(call(S.SYS_LSEEK, fd, data + 1, M.SEEK_DATA)).toBe(data + 1);
    expect(call(S.SYS_LSEEK, fd, data, M.SEEK_HOLE)).toBe(data + P);
    expect(call(S.SYS_LSEEK, fd, 7, M.SEEK_HOLE)).toBe(7);
    expect(call(S.SYS_LSEEK, fd, data + P, M.SEEK_DATA)).toBe(-E.ENXIO);
    for (const offset of [-5, 2 ** 40]) {
      expect(call(S.SYS_LSEEK, fd, offset, M.SEEK_DATA)).toBe(-E.ENXIO);
    }
    expect(nextPage(cpu, object, 0, true)).toBe(data / P);
    expectClean(t);
  });
});

describe('truncation', () => {
  it('takes pages from every mapping, private copies too, and gives frames back', () => {
    const fd = memfd();
    call(S.SYS_FTRUNCATE, fd, 8 * P);
    map(fd, 8, M.MAP_SHARED);
    map(fd, 8, M.MAP_PRIVATE, AT + 2 ** 20);
    const pid = createProcess(cpu, { name: 'child', cpu: 0, parent: a.pid, inherit: true });
    const space = peek(cpu.words, processOf(t.machine, pid) + PROCESS.SPACE);
    for (let page = 0; page < 8; page++) {
      expect(handleFault(cpu, a.space, AT / P + page, true)).toBe(FAULT_DONE);
      expect(handleFault(cpu, a.space, (AT + 2 ** 20) / P + page, page % 2 === 0)).toBe(FAULT_DONE);
      expect(handleFault(cpu, space, AT / P + page, false)).toBe(FAULT_DONE);
    }
    const before = frameUsage(t.machine).used;
    call(S.SYS_FTRUNCATE, fd, 3 * P + 5);
    expectClean(t);
    // Four of the file and the two private copies of pages 4 and 6.
    quiesce(t);
    expect(before - frameUsage(t.machine).used).toBe(6);
    for (let page = 4; page < 8; page++) {
      expect(handleFault(cpu, a.space, AT / P + page, false)).toBe(FAULT_BUS);
      expect(handleFault(cpu, a.space, (AT + 2 ** 20) / P + page, true)).toBe(FAULT_BUS);
      expect(handleFault(cpu, space, AT / P + page, false)).toBe(FAULT_BUS);
    }
    expect(call(S.SYS_PREAD, fd, AT + 4 * P, 10, 0)).toBe(-E.EFAULT);
    call(S.SYS_FTRUNCATE, fd, 8 * P);
    expect(user(AT + 4 * P, 3)).toBe('\0\0\0');
    exitProcess(cpu, pid, 0, 0, 0);
    releaseProcess(cpu, pid);
    expectClean(t);
  });

  it('zeroes the rest of the last page when it cuts, and as tmpfs not when it extends', () => {
    const fd = memfd();
    call(S.SYS_FTRUNCATE, fd, 100);
    map(fd, 2, M.MAP_SHARED);
    const beyond = (): string => user(AT + 200, 1);
    const set = (): void => void copyToUser(cpu, a.space, AT + 200, Buffer.from('x'));
    set();
    call(S.SYS_FTRUNCATE, fd, 100);
    expect(beyond()).toBe('\0');
    set();
    call(S.SYS_FTRUNCATE, fd, P);
    expect(beyond()).toBe('x');
    call(S.SYS_FTRUNCATE, fd, 150);
    expect(beyond()).toBe('\0');
    set();
    put(fd, 'y', 3000);
    expect(beyond()).toBe('x');
    expectClean(t);
  });

  it('empties with O_TRUNC, and grows and shrinks across every height of the index', () => {
    const fd = memfd();
    const object = fdObject(cpu, a.proc, fd);
    const places = [0, 1023 * P, 1024 * P, (2 ** 20 - 1) * P, 2 ** 20 * P, FILE_BYTES_MAX - P];
    for (const at of places) put(fd, 'page', at);
    for (const at of [...places].reverse()) {
      expect(get(fd, 4, at)).toBe('page');
      call(S.SYS_FTRUNCATE, fd, at + 2);
      expect(get(fd, 4, at)).toBe('pa');
      expectClean(t);
    }
    put(fd, 'again', FILE_BYTES_MAX - P);
    call(S.SYS_CLOSE, openObject(cpu, a.proc, object, M.O_RDWR | M.O_TRUNC));
    expect(sizeOf(fd)).toBe(0);
    expect(nextPage(cpu, object, 0, true)).toBe(-1);
    expectClean(t);
  });

  it('punches holes that read as zero, and leaves private copies', () => {
    const fd = memfd();
    put(fd, 'one', 0);
    put(fd, 'two', P);
    put(fd, 'three', 2 * P);
    map(fd, 3, M.MAP_SHARED);
    map(fd, 3, M.MAP_PRIVATE, AT + 2 ** 20);
    expect(user(AT + P, 3)).toBe('two');
    expect(user(AT + 2 ** 20 + P, 3)).toBe('two');
    copyToUser(cpu, a.space, AT + 2 ** 20, Buffer.from('own'));
    expect(punchHole(cpu, fdObject(cpu, a.proc, fd), 0, 2)).toBe(0);
    expectClean(t);
    expect(user(AT, 3)).toBe('\0\0\0');
    expect(user(AT + P, 3)).toBe('\0\0\0');
    expect(user(AT + 2 ** 20, 3)).toBe('own');
    expect(user(AT + 2 ** 20 + P, 3)).toBe('\0\0\0');
    expect(get(fd, 5, 2 * P)).toBe('three');
    expect(sizeOf(fd)).toBe(2 * P + 5);
    expectClean(t);
  });
});

describe('host files', () => {
  it('are waited for page by page, and read to their end', () => {
    const fd = hostFile(3 * P + 7, false);
    expect(call(S.SYS_PREAD, fd, BUFFER, 10, P)).toBe(-WAIT_PAGE);
    supply();
    expect(whole(S.SYS_READ, fd, BUFFER, 4 * P)).toBe(3 * P + 7);
    expect(call(S.SYS_LSEEK, fd, 0, M.SEEK_CUR)).toBe(3 * P + 7);
    expect(user(BUFFER + 3 * P - 1, 8)).toBe('cddddddd');
    expect(call(S.SYS_LSEEK, fd, 5, M.SEEK_DATA)).toBe(5);
    expect(call(S.SYS_LSEEK, fd, 5, M.SEEK_HOLE)).toBe(3 * P + 7);
    expectClean(t);
  });

  it('read before they are written in part, but not beyond what the host has', () => {
    const fd = hostFile(2 * P);
    expect(put(fd, 'XYZ', P + 1)).toBe(-WAIT_PAGE);
    supply();
    expect(put(fd, 'XYZ', P + 1)).toBe(3);
    expect(get(fd, 5, P)).toBe('bXYZb');
    expect(put(fd, 'new', 5 * P)).toBe(3);
    expect(get(fd, 3, 4 * P)).toBe('\0\0\0');
    // What was cut off comes from nowhere again.
    call(S.SYS_FTRUNCATE, fd, 10);
    call(S.SYS_FTRUNCATE, fd, 2 * P);
    expect(get(fd, 3, P)).toBe('\0\0\0');
    expect(whole(S.SYS_PREAD, fd, BUFFER, 12, 0)).toBe(12);
    expect(user(BUFFER, 12)).toBe('aaaaaaaaaa\0\0');
    expectClean(t);
  });

  it('zero what a mapping wrote behind the end when they grow', () => {
    const fd = hostFile(100);
    map(fd, 1, M.MAP_SHARED);
    expect(handleFault(cpu, a.space, AT / P, true)).toBe(FAULT_WAIT);
    supply();
    copyToUser(cpu, a.space, AT + 200, Buffer.from('x'));
    call(S.SYS_FTRUNCATE, fd, P);
    expect(user(AT + 200, 1)).toBe('\0');
    expectClean(t);
  });

  it('lose what a page read late would bring back of a cut', () => {
    const fd = hostFile(2 * P);
    const late = [beginPageIn(cpu), beginPageIn(cpu)];
    for (const pfn of late) frameBytesOf(t.machine, pfn).fill(0x7a);
    const object = fdObject(cpu, a.proc, fd);
    call(S.SYS_FTRUNCATE, fd, 5);
    call(S.SYS_FTRUNCATE, fd, 2 * P);
    expect(finishPageIn(cpu, object, 0, late[0] as number)).toBe(true);
    expect(finishPageIn(cpu, object, 1, late[1] as number)).toBe(true);
    expect(get(fd, 8, 0)).toBe('zzzzz\0\0\0');
    expect(get(fd, 3, P)).toBe('\0\0\0');
    expectClean(t);
  });

  /** Pages that are dirty now; they are clean afterwards. */
  function dirtyPages(object: number): number[] {
    const pages: number[] = [];
    for (let from = 0; ;) {
      const dirty = takeDirty(cpu, object, from, 100);
      if (dirty === null) return pages;
      putFrame(cpu, dirty.pfn);
      pages.push(dirty.page);
      from = dirty.page + 1;
    }
  }

  it('know which pages were written, by whom ever, exactly once', () => {
    const fd = hostFile(6 * P);
    const object = fdObject(cpu, a.proc, fd);
    map(fd, 6, M.MAP_SHARED);
    for (let page = 0; page < 6; page++) {
      expect(handleFault(cpu, a.space, AT / P + page, false)).toBe(FAULT_WAIT);
      supply();
      expect(handleFault(cpu, a.space, AT / P + page, false)).toBe(FAULT_DONE);
    }
    cleanObject(cpu, object, 0, 6);
    expect(dirtyPages(object)).toEqual([]);
    put(fd, 'x', P);
    copyToUser(cpu, a.space, AT + 3 * P, Buffer.from('x'));
    copyToUser(cpu, a.space, AT + 5 * P, Buffer.from('x'));
    call(S.SYS_MUNMAP, AT + 5 * P, P);
    expect(dirtyPages(object)).toEqual([1, 5]);
    cleanObject(cpu, object, 0, 6);
    expect(dirtyPages(object)).toEqual([3]);
    cleanObject(cpu, object, 0, 6);
    expect(dirtyPages(object)).toEqual([]);
    copyToUser(cpu, a.space, AT + 3 * P, Buffer.from('y'));
    exitProcess(cpu, a.pid, 0, 0, 0);
    releaseProcess(cpu, a.pid);
    expectClean(t);
  });

  it('are supplied again from what was written back, but for what was cut meanwhile', () => {
    const fd = hostFile(P);
    const object = fdObject(cpu, a.proc, fd);
    put(fd, 'x', 4 * P);
    expect(beginWriteBack(cpu, object)).toBe(P);
    endWriteBack(cpu, object);
    expect(beginWriteBack(cpu, object)).toBe(4 * P + 1);
    call(S.SYS_FTRUNCATE, fd, 2 * P);
    call(S.SYS_FTRUNCATE, fd, 9 * P);
    endWriteBack(cpu, object);
    expect(beginWriteBack(cpu, object)).toBe(2 * P);
    expectClean(t);
  });
});
