/** What a program returns, as an exit code. */

/**
 * Nothing is 0. Throws TypeError for what is no number and RangeError for one that a status cannot
 * hold, because a silent 0 or remainder would hide a mistake; `proc.exit` takes the low eight bits,
 * as exit(2) does.
 */
export function exitCodeOf(returned: unknown): number {
  if (returned === undefined || returned === null) return 0;
  const wanted = 'an integer from 0 to 255, or nothing for 0';
  if (typeof returned !== 'number') {
    const what = typeof returned === 'object' ? 'an object' : `a ${typeof returned}`;
    throw new TypeError(`the program returned ${what}; an exit code is ${wanted}`);
  }
  if (Number.isInteger(returned) && returned >= 0 && returned <= 255) return returned;
  throw new RangeError(`the program returned ${returned}; an exit code is ${wanted}`);
}
