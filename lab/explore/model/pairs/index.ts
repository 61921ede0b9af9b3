/**
 * Scenarios that nobody had to think of: every pair of operations of the surface, on ranges that
 * overlap, in every state. A scenario that is missing by hand is no blind spot.
 *
 * Names are STATE+FIRST+SECOND: CPU 0 performs FIRST, CPU 1 performs SECOND.
 */
import type { Scenario, World } from '../kit.ts';
import { STATES } from './states.ts';
import type { State } from './states.ts';
import { SURFACE } from './surface.ts';
import type { Action } from './surface.ts';

const SEPARATOR = '+';

/** Whether a scenario of this name is one of the pairs: no other has the separator. */
export function isPairName(name: string): boolean {
  return name.includes(SEPARATOR);
}

/** Whether two CPUs may do both at once. */
function meet(first: Action, second: Action): boolean {
  return first.isKernelWorkers !== true || second.isKernelWorkers !== true;
}

function fits(state: State, action: Action): boolean {
  return action.needsFile !== true || state.hasFile === true;
}

/** Names of all pairs: of two different operations, the one that SURFACE has first is on CPU 0. */
export function pairNames(): string[] {
  const names: string[] = [];
  for (const state of STATES) {
    const fitting = SURFACE.filter((action) => fits(state, action));
    for (const [index, first] of fitting.entries()) {
      for (const second of fitting.slice(index)) {
        if (!meet(first, second)) continue;
        names.push([state.name, first.name, second.name].join(SEPARATOR));
      }
    }
  }
  return names;
}

/** The pair of that name, in either order of operations; undefined when there is none. */
export function pairNamed(name: string): Scenario | undefined {
  const [stateName, firstName, secondName, ...rest] = name.split(SEPARATOR);
  const state = STATES.find((one) => one.name === stateName);
  const first = SURFACE.find((one) => one.name === firstName);
  const second = SURFACE.find((one) => one.name === secondName);
  if (state === undefined || first === undefined || second === undefined || rest.length > 0) return;
  if (!fits(state, first) || !fits(state, second) || !meet(first, second)) return;
  const [one, other] = state.places;
  return {
    name,
    about: `${first.name} against ${second.name}: ${state.about}`,
    cpus: [first.at(one, 0), second.at(other, 1)],
    setup(world: World): void {
      state.setup(world);
    },
  };
}
