/** What became of a recorded call. */

/** Why a call was not carried out; '' if it was. */
export type SkipReason =
  '' | 'not about memory' | 'not understood' | 'beyond this machine' | 'depends on the host';

/** What became of a call. One object is used for all. */
export interface Verdict {
  skipped: SkipReason;
  /** What the machine returned, and should have: a value, or a negative errno. */
  got: number;
  wanted: number;
  /** Whether the machine's own choice of an address was asked for (--native). */
  isChoice: boolean;
}
