/** Where the table's figures come from: what has to be run for a row. */
import type { Source } from '../turns.ts';
import { areaFigures } from './area-loops.ts';
import type { AreaFigures } from './area-loops.ts';
import type { ProgramFigures } from './bench-program.ts';
import type { HostFigures, HostProgram } from './host-program.ts';
import { machineCosts } from './machine-costs.ts';
import type { MachineCosts } from './machine-costs.ts';
import { replayFigures } from './replay-loops.ts';
import type { ReplayFigures } from './replay-loops.ts';
import { PROGRAM } from './testbed.ts';
import type { Testbeds } from './testbed.ts';

/** What each source measures in one repetition. */
export interface Figures extends ProgramFigures {
  readonly host: HostFigures;
  readonly areas: AreaFigures;
  readonly machine: MachineCosts;
  readonly replay: ReplayFigures;
}

export type SourceName = keyof Figures;

type Measures = { readonly [Name in SourceName]: () => Figures[Name] | Promise<Figures[Name]> };

/** `host` is null only where no row needs it. */
export function sourcesOf(
  names: Iterable<SourceName>,
  { single, pager, zeroing, pair }: Testbeds,
  host: HostProgram | null,
): Source<Partial<Figures>>[] {
  const measures: Measures = {
    host: () => {
      if (host === null) throw new Error('there is no host program');
      return host.run();
    },
    hits: () => single.figures('hits'),
    bulk: () => single.figures('bulk'),
    local: () => single.figures('local'),
    fork: () => single.figures('fork'),
    zeroed: () => zeroing.figures('zeroed'),
    trap: () => single.figures('trap'),
    comlink: () => single.figures('comlink'),
    remote: () => pager.figures('remote'),
    shootdown: () => pair.figures('shootdown'),
    scaling: () => pair.figures('scaling'),
    zeroing: () => single.figures('zeroing', true),
    hit: () => single.figures('hit', true),
    'hit-uncounted': () => single.figures('hit-uncounted', true),
    'hit-unpolled': () => single.figures('hit-unpolled', true),
    'hit-tag': () => single.figures('hit-tag', true),
    'hit-ordered-poll': () => single.figures('hit-ordered-poll', true),
    areas: areaFigures,
    replay: replayFigures,
    machine: () => machineCosts(pair.machine, PROGRAM),
  };
  return [...names].map((name) => ({
    name,
    measure: async () => ({ [name]: await measures[name]() }),
  }));
}
