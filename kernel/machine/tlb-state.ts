/** What a TLB holds beside its entries: words of an array, which compiled code reads as well. */
import type { SpaceBlock } from '../../shared/units.ts';

const SPACE = 0;
const SPACE_ID = 1;
const GENERATION = 2;
const LAZY_GENERATION = 3;
const FILLED_COUNT = 4;

/** The numbers of a TLB. */
export class TlbState {
  /** The numbers below, private to the CPU. */
  readonly state: Int32Array;

  constructor(state: Int32Array) {
    this.state = state;
  }

  /** Space whose translations it holds, 0 for none, and its SPACE.ID: blocks are reused. */
  get space(): SpaceBlock {
    return this.state[SPACE] as number;
  }

  set space(space: SpaceBlock) {
    this.state[SPACE] = space;
  }

  /** The number of that space, never the same for two. */
  get spaceId(): number {
    return this.state[SPACE_ID] as number;
  }

  set spaceId(id: number) {
    this.state[SPACE_ID] = id;
  }

  /** Generation of that space that has been applied. */
  get generation(): number {
    return this.state[GENERATION] as number;
  }

  set generation(generation: number) {
    this.state[GENERATION] = generation;
  }

  /** The lazy generation that it has swept. */
  get lazyGeneration(): number {
    return this.state[LAZY_GENERATION] as number;
  }

  set lazyGeneration(generation: number) {
    this.state[LAZY_GENERATION] = generation;
  }

  /** Slots in the list of those filled. */
  get filledCount(): number {
    return this.state[FILLED_COUNT] as number;
  }

  set filledCount(count: number) {
    this.state[FILLED_COUNT] = count;
  }
}
