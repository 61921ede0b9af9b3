/** What exploration can find. */

export type FailureKind =
  /**
   * A broken invariant or lock rule that the kernel itself noticed, or a JavaScript error in it.
   */
  | 'panic'
  /** Nobody can go on, although not everybody is done. */
  | 'deadlock'
  /** A CPU sleeps on a word that has changed, and nobody woke it. */
  | 'lost wake-up'
  /** The execution did not end within the step limit. */
  | 'livelock'
  /** Two accesses to a word, one of them plain and one a write, that nothing orders. */
  | 'race'
  /** A program used a translation that the tables do not have any more. */
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
