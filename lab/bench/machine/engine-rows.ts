/** What the parts of a memory access and of zeroing a frame cost in the JavaScript engine. */
import type { HitTest } from './hit-tests.ts';
import { rowOf } from './machine-row.ts';
import type { MachineRow } from './machine-row.ts';
import type { ZeroingFigures } from './zeroing.ts';

const hit = (name: HitTest, what: string): MachineRow[] => {
  const head = { suite: 'engine', floor: 'raw Int32Array', target: null } as const;
  return [
    rowOf(
      { ...head, name, what: `${what}, in order` },
      {
        sources: [name],
        value: (figures) => figures[name].inOrder.ns,
        floorOf: (figures) => figures[name].inOrder.rawNs,
      },
    ),
    rowOf(
      { ...head, name: `${name}-64-pages`, what: `${what}, from page to page` },
      {
        sources: [name],
        value: (figures) => figures[name].byPage.ns,
        floorOf: (figures) => figures[name].byPage.rawNs,
      },
    ),
  ];
};

const zero = (name: string, what: string, method: keyof ZeroingFigures): MachineRow =>
  rowOf(
    { suite: 'engine', name, what, floor: 'Int32Array.fill(0)', target: null },
    {
      sources: ['zeroing'],
      value: ({ zeroing }) => zeroing[method],
      floorOf: ({ zeroing }) => zeroing.fillWords,
    },
  );

export const ENGINE_ROWS: readonly MachineRow[] = [
  ...hit('hit', 'a TLB hit as it is'),
  ...hit('hit-uncounted', 'without the counter of accesses'),
  ...hit('hit-unpolled', 'without the poll of the generation'),
  ...hit('hit-tag', 'the tag alone'),
  ...hit('hit-ordered-poll', 'the tag, and an ordered poll'),
  zero('zero-fill-bytes', '4 KiB by Uint8Array.fill(0)', 'fillBytes'),
  zero('zero-set', '4 KiB by Int32Array.set(private zeroes)', 'set'),
  zero('zero-copy', '4 KiB by Int32Array.copyWithin', 'copy'),
  zero('zero-unrolled', '4 KiB by an unrolled Float64Array loop', 'unrolled'),
];
