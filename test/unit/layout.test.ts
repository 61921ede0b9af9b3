/**
 * Goal: the layout of the machine is one set of tables, and nothing disagrees with them. Method:
 * compare each block's constants with its table, overlap fields on purpose, name words of a real
 * machine, and draw the regions as docs/architecture.md shows them.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeBlock } from '../../shared/layout/block.ts';
import type { Block } from '../../shared/layout/block.ts';
import * as LAYOUT from '../../shared/layout/index.ts';
import { wordName } from '../../shared/layout/names.ts';
import { REGIONS, findWord, layOut } from '../../shared/layout/regions.ts';
import type { Regions } from '../../shared/layout/regions.ts';
import { frameField } from '../../kernel/machine/machine.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

/** Constants of a block's file that are no word of it: sizes, states, shifts. */
const NOT_FIELDS: Readonly<Record<string, readonly string[]>> = {
  BOOT: [
    'MAGIC_NUMBER',
    'LAYOUT_VERSION',
    'STOP_PARK',
    'STOP_VERIFY',
    'INJECT_KINDS_MAX',
    'SCRATCH_WORDS',
  ],
  CPU: ['TRAP_ARGS_MAX'],
  SPACE: [
    'ALIGN_SHIFT',
    'TLB_RING_WORDS',
    'RING_STAMP',
    'RING_START_VPN',
    'RING_PAGES',
    'RLIMIT_WORDS',
    'RLIMITS_MAX',
  ],
  PROCESS: ['FD_WORDS', 'SIG_SENDERS_WORDS', 'CPU_NOBODY', 'NEW', 'RUNNING', 'ZOMBIE'],
  AREA: ['ANON_INHERITED', 'ANON_GUARDS'],
  RECORD: ['DIRECTORY_WORDS'],
  OBJECT: ['SHARED', 'FILE', 'USER', 'DEVICE', 'LINEAR', 'TEXT', 'ZERO', 'ARRANGED', 'MEMORY'],
  LAZY: ['FRAMES_MAX'],
  FUTEX: ['WAITING', 'WOKEN'],
  SWAP: ['FREE', 'DIRTY', 'WRITING', 'CLEAN'],
};

type Module = Readonly<Record<string, unknown>> & { readonly LAYOUT?: Block };

const blocks = Object.entries(LAYOUT as unknown as Record<string, Module>).filter(
  ([name, module]) => module.LAYOUT !== undefined && name !== 'FRAME',
);

let t: TestMachine;

beforeEach(() => {
  t = testMachine({ swapSlots: 8 });
});

afterEach(() => {
  expectClean(t);
});

describe('the layout', () => {
  it.each(blocks)('%s: every constant that names a word is in its table', (name, module) => {
    const fields = new Map(module.LAYOUT?.fields.map((field) => [field.name, field.at]));
    const others = [...(NOT_FIELDS[name] ?? []), 'WORDS'];
    for (const [constant, value] of Object.entries(module)) {
      if (typeof value !== 'number') continue;
      if (/^MODE_/.test(constant) || others.includes(constant)) continue;
      expect([constant, fields.get(constant)]).toEqual([constant, value]);
    }
  });

  it('refuses fields that overlap, or lie beyond the block', () => {
    expect(() => describeBlock('b', 4, { x: { A: [0, 2] }, y: { B: 1 } })).toThrow(/b\.B overlaps/);
    expect(() => describeBlock('b', 4, { x: { A: [3, 2] } })).toThrow(/beyond its 4 words/);
    expect(describeBlock('b', 4, { x: { B: 3 }, y: { A: [0, 3] } }).fields).toHaveLength(2);
  });

  it('has the regions follow each other without a gap but the one that aligns the frames', () => {
    const size = { frames: 300, cpus: 3, swapSlots: 7 };
    const regions = layOut(size);
    let end = 0;
    for (const region of REGIONS) {
      const start = regions[region.key];
      if (region.key === 'frameBase') expect(start - end).toBeLessThan(1024);
      else expect([region.title, start]).toEqual([region.title, end]);
      end = start + region.words * region.count(size);
    }
    expect(end).toBe(regions.totalWords);
    expect(regions.frameBase % 1024).toBe(0);
  });

  it('names words by block, item and field', () => {
    const { machine, cpus } = t;
    const { proc, space } = testProcess(t);
    const name = (at: number): string => wordName(machine, at);
    const cpu = cpus[1]?.base ?? 0;
    expect(name(LAYOUT.BOOT.BUDDY_LOCK)).toBe('boot BUDDY_LOCK');
    expect(name(LAYOUT.BOOT.FREE_HEADS + 2)).toBe('boot FREE_HEADS+2');
    expect(name(cpu + LAYOUT.CPU.MODE)).toBe('cpu 1 MODE');
    expect(name(machine.recordDir + 5)).toBe('record directory 5');
    expect(name(machine.procTable + 9)).toBe('pid slot 9');
    expect(name(machine.futexQueues + 4)).toBe('futex queue 1 LOCK');
    expect(name(machine.histograms + 321)).toBe('histogram 1 word 1');
    expect(name(machine.dmesg + 8)).toBe('log record 1 STAMP');
    expect(name(machine.swapMap + 5 * 3 + LAYOUT.SWAP.STATE)).toBe('swap slot 3 STATE');
    expect(name(frameField(machine, 7, LAYOUT.FRAME.AUX))).toBe('frame 7 AUX');
    expect(name(space + LAYOUT.SPACE.TLB_GEN)).toMatch(/^space \d+\.0 TLB_GEN$/);
    expect(name(space + LAYOUT.SPACE.BRK + 1)).toMatch(/^space \d+\.0 BRK\+1$/);
    expect(name(proc + LAYOUT.PROCESS.STATE)).toMatch(/^process \d+\.0 STATE$/);
    const root = machine.words[space + LAYOUT.SPACE.ROOT] as number;
    expect(name(machine.frameBase + root * 1024 + 3)).toBe(`table ${root} (level 2) entry 3`);
  });

  it('finds the item and the word within it', () => {
    const { region, index, within } = findWord(t.machine, t.machine.swapMap + 12);
    expect([region.title, index, within]).toEqual(['swap map', 2, 2]);
  });

  it('is drawn in docs/architecture.md as it is', () => {
    const page = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
    expect(page).toContain(drawing());
  });
});

/** The regions of a machine of 64 MiB with four CPUs and no swap, as the page draws them. */
function drawing(): string {
  const size = { frames: 16384, cpus: 4, swapSlots: 0 };
  const regions: Regions = layOut(size);
  const rows = REGIONS.map((region) => {
    const words = region.words * region.count(size);
    const at = regions[region.key].toLocaleString('en').padStart(10);
    const item = region.block === null ? '' : `blocks of ${region.words}`;
    return `${at}  ${region.title.padEnd(20)}${words.toLocaleString('en').padStart(11)}  ${item}`;
  });
  return ['word        region                    words', ...rows]
    .map((row) => row.trimEnd())
    .join('\n');
}
