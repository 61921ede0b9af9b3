/** A text of some size for the programs that read a file: words drawn with a fixed seed. */
import { makeRandom } from '../../shared/random.ts';

const SEED = 1;
const LINES = 4000;
const WORDS_A_LINE = 8;
const words =
  'page frame table entry fault lazy shared copy write read map protect flush lock wait wake';

export function sampleText(): Uint8Array {
  const random = makeRandom(SEED);
  const choices = words.split(' ');
  const line = (): string =>
    Array.from({ length: WORDS_A_LINE }, () => choices[random(choices.length)]).join(' ');
  return new TextEncoder().encode(`${Array.from({ length: LINES }, line).join('\n')}\n`);
}
