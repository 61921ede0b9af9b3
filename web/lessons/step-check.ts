/** Whether a step of a lesson was done: each of its conditions is remembered once it came true. */
import type { HandOutcome } from '../hand/hand-work.ts';
import type { Condition, LessonStep } from './lesson.ts';

/** What a check asks of the machine. */
export interface CheckSource {
  readonly measure: (name: string) => number;
  /** The process that the page drives from the start. */
  readonly handPid: number;
}

export class StepCheck {
  readonly #conditions: readonly Condition[];
  readonly #met: boolean[];
  readonly #before = new Map<string, number>();
  readonly #source: CheckSource;

  constructor(step: LessonStep, source: CheckSource) {
    this.#conditions = step.check;
    this.#met = step.check.map(() => false);
    this.#source = source;
    for (const { measure } of step.check) {
      if (measure !== undefined) this.#before.set(measure, source.measure(measure));
    }
  }

  get isDone(): boolean {
    return this.#met.every(Boolean);
  }

  /** Whether an answer is asked for. */
  get asks(): boolean {
    return this.#conditions.some(({ reply }) => reply !== undefined);
  }

  /** Looks at the machine. */
  look(): void {
    this.#meet((condition) => this.#isMeasured(condition));
  }

  /** A call by hand has been made. */
  called({ pid, what, reply }: HandOutcome): void {
    this.#meet(
      ({ call, error, elsewhere }) =>
        call === what.call &&
        (error ?? null) === reply.error &&
        (elsewhere !== true || pid !== this.#source.handPid),
    );
  }

  /** A built-in program has ended with code 0. */
  ended(name: string): void {
    this.#meet(({ program }) => program === name);
  }

  /** The learner has typed an answer; whether it was the right one. */
  replied(text: string): boolean {
    const given = text.trim().toLowerCase();
    this.#meet(({ reply }) => reply?.toLowerCase() === given);
    return this.#conditions.every(({ reply }, i) => reply === undefined || this.#met[i] === true);
  }

  #meet(isMet: (condition: Condition) => boolean): void {
    this.#conditions.forEach((condition, i) => {
      if (this.#met[i] !== true && isMet(condition)) this.#met[i] = true;
    });
  }

  #isMeasured({ measure, atLeast, rises, falls }: Condition): boolean {
    if (measure === undefined) return false;
    const before = this.#before.get(measure) ?? 0;
    const now = this.#source.measure(measure);
    return (
      (atLeast === undefined || now >= atLeast) &&
      (rises === undefined || now - before >= rises) &&
      (falls === undefined || before - now >= falls)
    );
  }
}
