/** Which moment of a story is looked at: steps go from one shown moment to the next. */
import type { Moment } from '../story.ts';

export class Stepper {
  readonly #moments: readonly Moment[];
  readonly #listeners: (() => void)[] = [];
  /** Indices of the moments that are shown. */
  #shown: readonly number[] = [];
  /** Index in `shown`. */
  #at = 0;

  constructor(moments: readonly Moment[]) {
    this.#moments = moments;
    this.showMinor(false);
  }

  get shown(): readonly number[] {
    return this.#shown;
  }

  /** How many steps there are. */
  get count(): number {
    return this.#shown.length;
  }

  /** The present step, from 0. */
  get position(): number {
    return this.#at;
  }

  /** Index of the present moment; -1 for a story without any. */
  get moment(): number {
    return this.#shown[this.#at] ?? -1;
  }

  /** Index of the moment shown before it; -1 for none. */
  get before(): number {
    return this.#shown[this.#at - 1] ?? -1;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Goes to a step; beyond the ends, to the first or the last. */
  go(position: number): void {
    this.#at = Math.max(0, Math.min(position, this.#shown.length - 1));
    for (const listener of this.#listeners) listener();
  }

  /** Goes to a moment, if it is shown. */
  goToMoment(index: number): void {
    const position = this.#shown.indexOf(index);
    if (position >= 0) this.go(position);
  }

  /** Whether minor moments are shown too. Stays at the present moment if it can. */
  showMinor(wanted: boolean): void {
    const present = this.moment;
    this.#shown = [...this.#moments.keys()].filter((i) => wanted || !this.#moments[i]?.isMinor);
    const position = this.#shown.findLastIndex((index) => index <= present);
    this.go(Math.max(0, position));
  }
}
