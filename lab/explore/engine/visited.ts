/**
 * States that a search has reached: hashes of 64 bits, each with the choices that were asleep
 * there whenever it was reached, as a bit set.
 */

/** Words of a slot: the hash's halves, and what is asleep. */
const SLOT = 3;
const SLOTS_FIRST = 1 << 12;
/** `reach`'s answer for a new state. */
export const NEW = -1;

/** What a search needs of it. */
export interface StateSet {
  readonly size: number;
  clear(): void;
  has(low: number, high: number): boolean;
  /** Reaches a state with `asleep` left out. NEW, or what was left out each time before. */
  reach(low: number, high: number, asleep: number): number;
}

export class Visited implements StateSet {
  #slots = new Int32Array(SLOT * SLOTS_FIRST);
  #mask = SLOTS_FIRST - 1;
  size = 0;

  clear(): void {
    this.#slots = new Int32Array(SLOT * SLOTS_FIRST);
    this.#mask = SLOTS_FIRST - 1;
    this.size = 0;
  }

  has(low: number, high: number): boolean {
    return this.#slots[this.#find(low | 1, high)] !== 0;
  }

  reach(low: number, high: number, asleep: number): number {
    const at = this.#find(low | 1, high);
    const slots = this.#slots;
    if (slots[at] !== 0) {
      const before = slots[at + 2] as number;
      slots[at + 2] = before & asleep;
      return before;
    }
    slots[at] = low | 1;
    slots[at + 1] = high;
    slots[at + 2] = asleep;
    this.size++;
    if (this.size * 2 > this.#mask) this.#grow();
    return NEW;
  }

  /** The place of a hash, or the free one where it belongs. The low half is odd, so never 0. */
  #find(low: number, high: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = (high ^ (low >>> 7)) & mask;
    for (;;) {
      const at = slot * SLOT;
      if (slots[at] === 0 || (slots[at] === low && slots[at + 1] === high)) return at;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let i = 0; i < old.length; i += SLOT) {
      if (old[i] === 0) continue;
      const at = this.#find(old[i] as number, old[i + 1] as number);
      this.#slots.set(old.subarray(i, i + SLOT), at);
    }
  }
}
