/** `faultline explore --mutate`: judges the scenarios by systematic mutants of the kernel. */
import { judgeAll } from '../lab/explore/mutate/campaign.ts';
import type { Prepared } from '../lab/explore/mutate/mutator.ts';
import type { Verdict } from '../lab/explore/mutate/verdict.ts';
import { mutationHost } from '../lab/explore/node/worker-mutator.ts';
import { interruptibly } from './interruption.ts';
import { MutateRecord } from './mutate-record.ts';
import {
  describeMutant,
  describeSurvivor,
  documentOf,
  formatScore,
  isLeft,
} from './mutate-report.ts';
import { parseMutate } from './mutate-request.ts';
import type { MutateRequest } from './mutate-request.ts';
import { formatCount } from './text-table.ts';
import { UsageError } from './usage-error.ts';

const progressMs = 10_000;
const coverageStep = 1000;

/** Returns the exit status. */
export async function mutateCommand(args: readonly string[]): Promise<number> {
  const request = parseMutate(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  console.error("explore: deriving mutants from the kernel's source, which takes some seconds");
  return request.list ? list(request) : interruptibly((signal) => judge(request, signal));
}

async function list({ isWanted, json }: MutateRequest): Promise<number> {
  const mutator = mutationHost().startMutator();
  try {
    const mutants = requireSome((await mutator.prepare()).mutants.filter(isWanted));
    if (json) console.log(JSON.stringify(mutants.map(shown), null, 2));
    else for (const mutant of mutants) console.log(describeMutant(mutant));
    return 0;
  } finally {
    await mutator.end();
  }
}

function shown({ id, path, functionName, operator, line, change }: MutantShown): MutantShown {
  return { id, path, functionName, operator, line, change };
}

type MutantShown = Omit<Prepared['mutants'][number], 'number' | 'place'>;

async function judge(request: MutateRequest, signal: AbortSignal): Promise<number> {
  const record = request.resume === null ? null : new MutateRecord(request.resume, request.effort);
  const progress = new Progress();
  const verdicts = await judgeAll(
    mutationHost(),
    { ...request, isStopped: () => signal.aborted },
    {
      known(prepared, wanted) {
        if (wanted === 0) requireSome([]);
        progress.begin(wanted);
        return record?.open(prepared) ?? { verdicts: new Map(), sightings: new Map() };
      },
      covering(done, all) {
        if (done % coverageStep !== 0 && done !== all) return;
        console.error(`explore: what scenarios execute: ${done} of ${all} measured`);
      },
      judged(verdict) {
        record?.add(verdict);
        progress.add(verdict);
        if (isLeft(verdict) && !request.json) console.log(describeSurvivor(verdict));
      },
    },
  );
  if (request.json) console.log(JSON.stringify(documentOf(verdicts), null, 2));
  else console.log(`\n${formatScore(verdicts)}`);
  return verdicts.some(isLeft) ? 1 : 0;
}

function requireSome<Item>(mutants: readonly Item[]): readonly Item[] {
  if (mutants.length > 0) return mutants;
  throw new UsageError('there are no such mutants; see faultline explore --mutate --list');
}

/** A line on stderr now and then. */
class Progress {
  #wanted = 0;
  #judged = 0;
  #left = 0;
  #saidMs = performance.now();

  begin(wanted: number): void {
    this.#wanted = wanted;
  }

  add(verdict: Verdict): void {
    this.#judged++;
    if (isLeft(verdict)) this.#left++;
    if (performance.now() - this.#saidMs < progressMs) return;
    this.#saidMs = performance.now();
    const [judged, wanted] = [formatCount(this.#judged), formatCount(this.#wanted)];
    console.error(`explore: ${judged} judged now, of ${wanted} in all; ${this.#left} not killed`);
  }
}
