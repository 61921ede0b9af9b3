/**
 * Goal: a number of the wrong unit does not compile where the kernel is called. Method: each line
 * under `@ts-expect-error` is wrong in one way; `tsc -p .` fails when one of them compiles. Nothing
 * here is called.
 */
import { describe, expect, it } from 'vitest';
import { handleFault } from '../../kernel/faults/fault.ts';
import { putFrame } from '../../kernel/frames/frames.ts';
import type { Cpu } from '../../kernel/machine/cpu.ts';
import type { Cursor } from '../../kernel/machine/cursor.ts';
import type { LockingProtocol } from '../../kernel/machine/locking-protocol.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { lock } from '../../kernel/machine/spinlock.ts';
import { putFile } from '../../kernel/objects/open-file.ts';
import { findPage } from '../../kernel/objects/pages.ts';
import { recordAt } from '../../kernel/objects/record.ts';
import { putSlot } from '../../kernel/objects/swap-map.ts';
import { shootDown } from '../../kernel/paging/shootdown.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { openRange } from '../../kernel/space/open-range.ts';
import { putSpace } from '../../kernel/space/space.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { peek } from '../../shared/atomics.ts';
import { pfnOf, reservedRecord, reservedSlot } from '../../shared/pte.ts';
import { addressOf, vpnOf } from '../../shared/units.ts';
import type * as units from '../../shared/units.ts';

declare const cpu: Cpu;
declare const cursor: Cursor;
declare const protocol: LockingProtocol;
declare const address: units.VirtAddr;
declare const vpn: units.Vpn;
declare const pfn: units.Pfn;
declare const entry: units.Pte;
declare const at: units.WordIndex;
declare const space: units.SpaceBlock;
declare const proc: units.ProcessBlock;
declare const object: units.ObjectBlock;

const wrong: readonly (() => unknown)[] = [
  // @ts-expect-error a frame number for a page number
  () => handleFault(cpu, space, pfn, false),
  // @ts-expect-error an address for a page number
  () => handleFault(cpu, space, address, false),
  // @ts-expect-error a process's block for a space's
  () => handleFault(cpu, proc, vpn, false),
  // @ts-expect-error an address for a page number, at the end of a range
  () => openRange(cpu, space, vpn, address),
  // @ts-expect-error space and page number exchanged
  () => openRange(cpu, vpn, space, vpn + 1),
  // @ts-expect-error an address for a page number
  () => protocol.lockPage(cpu, cursor, space, address),
  // @ts-expect-error a frame number for a page number
  () => shootDown(cpu, space, pfn, 1),
  // @ts-expect-error an entry for the frame that it names
  () => putFrame(cpu, entry),
  // @ts-expect-error a page number for a frame number
  () => putFrame(cpu, vpn),
  // @ts-expect-error the index of a frame's first word for its number
  () => putFrame(cpu, frameWord(cpu.machine, pfn)),
  // @ts-expect-error a process's block for a space's
  () => putSpace(cpu, proc),
  // @ts-expect-error any word for the first one of a space
  () => putSpace(cpu, at),
  // @ts-expect-error an object for the description of an open file
  () => putFile(cpu, object),
  // @ts-expect-error a page number of a space for one of an object
  () => findPage(cpu, object, vpn),
  // @ts-expect-error a page number for the address of a syscall
  () => sysMunmap(cpu, proc, vpn, 4096),
  // @ts-expect-error a process's block for its number
  () => processOf(cpu.machine, proc),
  // @ts-expect-error a record's number for a slot's
  () => putSlot(cpu, reservedRecord(entry)),
  // @ts-expect-error a slot's number for a record's
  () => recordAt(cpu.machine, reservedSlot(entry)),
  // @ts-expect-error the entry's word for the entry
  () => pfnOf(at),
  // @ts-expect-error the entry for its word
  () => peek(cpu.words, entry),
  // @ts-expect-error a page number for a word
  () => lock(cpu, vpn),
  // @ts-expect-error a conversion the wrong way round
  () => vpnOf(vpn),
  // @ts-expect-error an address for a page number
  () => addressOf(address),
  // @ts-expect-error a page number can never equal a frame number
  () => vpn === pfn,
  // @ts-expect-error a list of page numbers for a list of frames
  (pages: units.Vpn[]): units.Pfn[] => pages,
];

const right: readonly (() => unknown)[] = [
  () => handleFault(cpu, space, 5, false),
  () => openRange(cpu, space, vpn, vpn + 1),
  () => openRange(cpu, space, vpnOf(address), vpnOf(address + 4096)),
  () => putFrame(cpu, pfnOf(peekEntry(cpu, space, vpn))),
  () => findPage(cpu, object, vpn - 7),
  () => peek(cpu.words, space),
  () => peek(cpu.words, at),
];

describe('units', () => {
  it('are told apart by the compiler', () => {
    expect(wrong).toHaveLength(25);
    expect(right).toHaveLength(7);
  });
});
