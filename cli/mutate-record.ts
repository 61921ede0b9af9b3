/**
 * Verdicts in a file, a line of JSON each, written as they come: what a killed run has done is not
 * lost. A line before them says of which kernel and scenarios they are. With other scenarios, or
 * with more effort, only the killed stay killed, as long as there is the scenario that did it. With
 * another kernel all are judged again, and the killed are looked for first where they were seen.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import type { Earlier } from '../lab/explore/mutate/campaign.ts';
import type { Place } from '../lab/explore/mutate/judge.ts';
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

  /** What the file knows that is of use for this build. Throws a UsageError when it is another. */
  open({ kernel, scenarios, places, generated }: Prepared): Earlier {
    const text = existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : '';
    const lines = text.split('\n');
    // The last line may be half of one, when its writer was killed.
    const half = lines.pop() ?? '';
    const verdicts = new Map<string, Verdict>();
    const sightings = new Map<string, Place>();
    const known = new Set([...places, ...generated].map(nameOf));
    let head: Head | null = null;
    for (const line of lines) {
      const parsed = this.#parse(line);
      if ('record' in parsed) head = this.#required(parsed);
      else if (head === null) throw this.#refusal();
      else {
        const { mutant, by } = parsed;
        const isThere = by !== null && known.has(nameOf(by));
        if (isThere) sightings.set(mutant, by);
        const holds = head.kernel === kernel && (isThere || this.#holdsAll(head, scenarios));
        if (holds) verdicts.set(mutant, parsed);
        else verdicts.delete(mutant);
      }
    }
    if (head === null && half !== '' && !half.startsWith('{"record"')) throw this.#refusal();
    if (half !== '') truncateSync(this.#path, Buffer.byteLength(text) - Buffer.byteLength(half));
    if (head === null || head.kernel !== kernel || !this.#holdsAll(head, scenarios)) {
      this.#append({ record: WHAT, kernel, scenarios, effort: this.#effort });
    }
    return { verdicts, sightings };
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

  #required(head: Head): Head {
    if (head.record !== WHAT) throw this.#refusal();
    return head;
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

function nameOf({ scenario, protocol }: Place): string {
  return `${scenario} ${protocol}`;
}
