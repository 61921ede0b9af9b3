/** What exploration can find. */

export type FailureKind =
  /**
   * A broken invariant or lock rule that the kernel itself noticed, or a JavaScript error in it.
   */
  | 'panic'
  /** No CPU can run, although not all are done. */
  | 'deadlock'
  /** A CPU sleeps on a word that has changed, and was not woken. */
  | 'lost wake-up'
  /** The execution did not end within the step limit. */
  | 'livelock'
  /** Two accesses to a word, one of them plain and one a write, that nothing orders. */
  | 'race'
  /** A program used a translation that is no longer in the tables. */
  | 'stale translation'
  /** A frame was freed while a program could still use a translation to it. */
  | 'freed while mapped'
  /** The audit of the machine found something at the end. */
  | 'audit'
  /** No order of whole operations gives these results. */
  | 'not linearizable';

export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
}
