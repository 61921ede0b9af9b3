/** A bug that a real kernel had, as a mutant of this one. */
export interface Exhibit {
  /** What `faultline museum` calls it. */
  readonly name: string;
  /** Where it was, and what it is known as. */
  readonly original: string;
  /** What happened there. */
  readonly wrong: string;
  /** How it was mended. */
  readonly fixed: string;
  /** What the mutant does to this kernel, and how far that is the same. */
  readonly here: string;
  /** The mutant's name; it names the scenario and the protocol. */
  readonly mutant: string;
  /** Reports and commits, by address. */
  readonly sources: readonly string[];
}
