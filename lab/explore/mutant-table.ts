/** How soon each strategy finds each mutant: the table of docs/explore.md. */
import type { Search } from './engine/explore.ts';
import type { Experiment } from './experiment.ts';
import type { Laboratory } from './laboratory.ts';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutants.ts';

export interface MutantRow {
  readonly mutant: string;
  readonly scenario: string;
  readonly protocol: string;
  /** Kinds of failure by which it was found. */
  readonly kinds: readonly string[];
  /** Executions to the first failure; for random strategies the least, median and most. */
  readonly exhaustive: string;
  readonly pct: string;
  readonly random: string;
  /** By the exhaustive search, or under every seed of a random strategy. */
  readonly caught: boolean;
}

const SEEDS = [1, 2, 3, 4, 5] as const;
const BOUND_MAX = 3;
/** Of one search; more would be luck. */
const EXECUTIONS_MAX = 50_000;
const TIME_MAX_MS = 15_000;

export interface TableLimits {
  readonly depth: number;
  readonly executionsMax: number;
  readonly timeMaxMs: number;
}

/** Runs every mutant under every strategy; `progress` hears the name of each. */
export async function mutantTable(
  laboratory: Laboratory,
  limits: TableLimits,
  progress: (name: string) => void,
): Promise<MutantRow[]> {
  const rows: MutantRow[] = [];
  for (const mutant of MUTANTS) {
    if (laboratory.isStopped) break;
    progress(mutant.name);
    rows.push(await mutantRow(laboratory, mutant, limits));
  }
  return rows;
}

/** Runs one mutant under every strategy. */
async function mutantRow(
  laboratory: Laboratory,
  { name, scenario, protocol }: Mutant,
  limits: TableLimits,
): Promise<MutantRow> {
  const bounded = {
    depth: limits.depth,
    executionsMax: Math.min(limits.executionsMax, EXECUTIONS_MAX),
    timeMaxMs: Math.min(limits.timeMaxMs, TIME_MAX_MS),
  };
  const kinds = new Set<string>();
  const experiment = { scenario, protocol, mutant: name };
  const run = (search: Pick<Search, 'strategy' | 'seed' | 'bound'>): Promise<number | null> =>
    firstFailure(laboratory, experiment, { ...bounded, ...search }, kinds);
  const exhaustive = await iterative(run);
  const pct: (number | null)[] = [];
  const random: (number | null)[] = [];
  for (const seed of SEEDS) {
    pct.push(await run({ strategy: 'pct', seed, bound: 0 }));
    random.push(await run({ strategy: 'random', seed, bound: 0 }));
  }
  const always = (counts: readonly (number | null)[]): boolean => !counts.includes(null);
  return {
    mutant: name,
    scenario,
    protocol,
    kinds: [...kinds],
    exhaustive: exhaustive === null ? '–' : String(exhaustive),
    pct: summary(pct),
    random: summary(random),
    caught: exhaustive !== null || always(pct) || always(random),
  };
}

/** Bounds 0, 1, 2, … one after another; executions of all of them together. */
async function iterative(
  run: (search: Pick<Search, 'strategy' | 'seed' | 'bound'>) => Promise<number | null>,
): Promise<number | null> {
  let executions = 0;
  for (let bound = 0; bound <= BOUND_MAX; bound++) {
    const found = await run({ strategy: 'exhaustive', seed: 0, bound });
    if (found !== null && found > 0) return executions + found;
    executions += Math.abs(found ?? 0);
  }
  return null;
}

async function firstFailure(
  laboratory: Laboratory,
  experiment: Experiment,
  search: Search,
  kinds: Set<string>,
): Promise<number | null> {
  const { exploration } = await laboratory.search({ experiment, search });
  if (exploration.finding === null) {
    return search.strategy === 'exhaustive' ? -exploration.executions : null;
  }
  kinds.add(exploration.finding.failure.kind);
  return exploration.executions;
}

/** 'least/median/most', with a count of the seeds that found nothing. */
function summary(counts: readonly (number | null)[]): string {
  const found = counts.filter((count) => count !== null).sort((a, b) => a - b);
  if (found.length === 0) return '–';
  const median = found[Math.floor(found.length / 2)];
  const missed = counts.length - found.length;
  const all = `${found[0]}/${median}/${found[found.length - 1]}`;
  return missed === 0 ? all : `${all} (${missed} of ${counts.length} missed)`;
}
