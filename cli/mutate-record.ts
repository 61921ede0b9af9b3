/**
 * Verdicts in a file, a line of JSON each, written as they come: what a killed run has done is not
 * lost. A line before them says of which kernel and scenarios they are. With other scenarios, or
 * with more effort, only the killed stay killed, as long as there is the scenario that did it.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import type { Prepared } from '../lab/explore/mutate/mutator.ts';
import type { Verdict } from '../lab/explore/mutate/verdict.ts';
import { UsageError } from './usage-error.ts';

const WHAT = 'faultline explore --mutate';

interface Head {
  readonly record: string;
  readonly kernel: string;
  readonly scenarios: string;
  readonly effort: number;
}

export class MutateRecord {
  readonly #path: string;
  readonly #effort: number;

  /** `effort`: what the verdicts to come are worth. */
  constructor(path: string, effort: number) {
    this.#path = path;
    this.#effort = effort;
  }

  /** The verdicts in the file that hold for this build; throws a UsageError when it has others. */
  open({ kernel, scenarios, places }: Prepared): ReadonlyMap<string, Verdict> {
    const text = existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : '';
    const lines = text.split('\n');
    // The last line may be half of one, when its writer was killed.
    const half = lines.pop() ?? '';
    const verdicts = new Map<string, Verdict>();
    let head: Head | null = null;
    for (const line of lines) {
      const parsed = this.#parse(line);
      if ('record' in parsed) head = this.#required(parsed, kernel);
      else if (head === null) throw this.#refusal();
      else if (this.#holdsAll(head, scenarios) || isStillKilled(parsed, places)) {
        verdicts.set(parsed.mutant, parsed);
      } else verdicts.delete(parsed.mutant);
    }
    if (head === null && half !== '' && !half.startsWith('{"record"')) throw this.#refusal();
    if (half !== '') truncateSync(this.#path, Buffer.byteLength(text) - Buffer.byteLength(half));
    if (head === null || !this.#holdsAll(head, scenarios)) {
      this.#append({ record: WHAT, kernel, scenarios, effort: this.#effort });
    }
    return verdicts;
  }

  /** Whether what follows this line would be judged the same now. */
  #holdsAll(head: Head, scenarios: string): boolean {
    return head.scenarios === scenarios && head.effort >= this.#effort;
  }

  add(verdict: Verdict): void {
    this.#append(verdict);
  }

  #append(line: Head | Verdict): void {
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }

  #required(head: Head, kernel: string): Head {
    if (head.record !== WHAT) throw this.#refusal();
    if (head.kernel === kernel) return head;
    throw new UsageError(`--resume: '${this.#path}' is of another kernel; name another file`);
  }

  #parse(line: string): Head | Verdict {
    try {
      const parsed = JSON.parse(line) as Head | Verdict | null;
      if (parsed !== null && ('record' in parsed || 'mutant' in parsed)) return parsed;
    } catch {
      // No JSON: refused below.
    }
    throw this.#refusal();
  }

  #refusal(): UsageError {
    return new UsageError(`--resume: '${this.#path}' is no record of mutants; name another file`);
  }
}

function isStillKilled({ by }: Verdict, places: Prepared['places']): boolean {
  if (by === null) return false;
  return places.some(({ scenario, protocol }) => {
    return scenario === by.scenario && protocol === by.protocol;
  });
}
