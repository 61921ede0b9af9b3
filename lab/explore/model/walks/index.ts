/**
 * Walks: on one CPU a dozen calls of the whole surface, drawn with a seed, on another one an access
 * to the same memory. They have no aim but to reach code that no scenario is about, and to compare
 * what it returns and leaves behind; they are how mutants of code without races are found.
 *
 * Names are walk-SEED.
 */
import * as OBJECT from '../../../../shared/layout/object.ts';
import { signalBit } from '../../../../shared/abi/signals.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { STATES } from '../pairs/states.ts';
import type { State } from '../pairs/states.ts';
import { SURFACE } from '../pairs/surface.ts';
import type { Action } from '../pairs/surface.ts';
import { openFile } from '../scenarios/mapped-file.ts';
import { read, write } from '../user.ts';
import { Draw, drawCall } from './calls.ts';
import {
  child,
  countGroups,
  end,
  exec,
  handle,
  lookAtEntries,
  memfd,
  send,
  take,
} from './steps.ts';

/** Walks that judge mutants. */
const WALKS = 400;
/** Operations of CPU 0. */
const STEPS = 12;
/** How often the entries are looked at. */
const LOOK_EVERY = 4;
const NAME = /^walk-(\d{1,9})$/;
const PAGES = [0, 1, 1, 2, 600, 1022, 1023];
const SIGNALS = [10, 12, 17, 31];
const HOWS = ['fork', 'thread', 'files', 'group'] as const;

/** The walks that judge mutants: others can be named as well. */
export function walkNames(): string[] {
  return Array.from({ length: WALKS }, (_, i) => `walk-${i}`);
}

/** Whether a scenario of this name is a walk. */
export function isWalkName(name: string): boolean {
  return NAME.test(name);
}

/** The walk of that name; undefined when it is not one's. */
export function walkNamed(name: string): Scenario | undefined {
  const seed = NAME.exec(name)?.[1];
  if (seed === undefined) return undefined;
  const draw = new Draw(Number(seed));
  const state = STATES[draw.below(STATES.length)] as State;
  const steps: Operation[] = [];
  while (steps.length < STEPS) {
    steps.push(...drawStep(draw, state));
    if (draw.below(LOOK_EVERY) === 0) steps.push(lookAtEntries);
  }
  steps.push(lookAtEntries);
  const page = draw.of(PAGES);
  return {
    name,
    about: `calls drawn with seed ${seed}: ${state.about}`,
    cpus: [steps, [draw.below(2) === 0 ? read(page) : write(page, 8)]],
    setup(world: World): void {
      state.setup(world);
      if (state.hasFile !== true) openFile(world, 2, OBJECT.SHARED);
    },
  };
}

function drawStep(draw: Draw, state: State): readonly Operation[] {
  switch (draw.below(8)) {
    case 0:
    case 1:
      return drawAction(draw, state);
    case 2:
      return drawOther(draw);
    case 3: {
      const page = draw.of(PAGES);
      return [draw.below(2) === 0 ? read(page) : write(page, 1 + draw.below(9))];
    }
    default:
      return [drawCall(draw)];
  }
}

function drawAction(draw: Draw, state: State): readonly Operation[] {
  const fitting = SURFACE.filter((one) => one.needsFile !== true || state.hasFile === true);
  const action = fitting[draw.below(fitting.length)] as Action;
  const page = draw.of(PAGES);
  const pages = 1 + draw.below(3);
  return action.at({ page, pages, common: page + draw.below(pages) }, 0);
}

function drawOther(draw: Draw): readonly Operation[] {
  const signal = draw.of(SIGNALS);
  switch (draw.below(9)) {
    case 0:
    case 1:
      return [handle(signal, draw.below(3), draw.of([0, signalBit(10), -1])), send(signal), take];
    case 2:
      return [send(signal), take];
    case 3:
      return [memfd(draw.of([0, 1, 2, 3, 8, 24]))];
    case 4:
      return [end(draw.below(2) === 0)];
    case 5:
      return [exec];
    case 6:
      return [countGroups];
    default:
      return [child(HOWS[draw.below(HOWS.length)] as (typeof HOWS)[number])];
  }
}
