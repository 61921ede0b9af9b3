/**
 * Goal: a story names every word of the machine by what it is.
 * Method: words of a formatted machine, from each region.
 */
import { describe, expect, it } from 'vitest';
import { formatMachine } from '../../kernel/format.ts';
import { PROTOCOLS } from '../../kernel/locking/protocols.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as LOG from '../../shared/layout/log.ts';
import { wordName } from '../../shared/layout/names.ts';
import * as SWAP from '../../shared/layout/swap.ts';

const machine = formatMachine({ frames: 256, cpus: 2, protocol: PROTOCOLS.rcu, swapSlots: 8 });

describe('word names', () => {
  it.each([
    [BOOT.SWAP_LOCK, 'boot SWAP_LOCK'],
    [BOOT.SCRATCH + 1, 'boot SCRATCH+1'],
    [machine.cpuBase + CPU.WORDS + CPU.MODE, 'cpu 1 MODE'],
    [machine.histograms, 'histogram 0 word 0'],
    [machine.dmesg + 2 * LOG.WORDS, /^log record 2 /],
    [machine.swapMap + 3 * SWAP.WORDS + SWAP.STATE, 'swap slot 3 STATE'],
    [machine.swapMap + SWAP.REFS, 'swap slot 0 REFS'],
    [machine.meta + 5 * FRAME.WORDS + FRAME.STATE, 'frame 5 STATE'],
  ])('names word %i %s', (at, name) => {
    expect(wordName(machine, at)).toEqual(
      typeof name === 'string' ? name : expect.stringMatching(name),
    );
  });
});
