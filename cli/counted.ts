/** Counts with their nouns. */
import { formatCount } from './text-table.ts';

/** 1 as '1 table', others as '2 tables'. `plural` is the noun's plural, perhaps with more words. */
export function counted(count: number, plural: string): string {
  return `${formatCount(count)} ${count === 1 ? singular(plural) : plural}`;
}

/** The first word that is a plural, as a singular: 'frames in use' as 'frame in use'. */
function singular(words: string): string {
  return words.replace(/(\w*?)(sses|[^aeious]ies|[^s]s)\b/, (_, stem: string, ending: string) => {
    if (ending === 'sses') return `${stem}ss`;
    return ending.endsWith('ies') ? `${stem}${ending[0]}y` : `${stem}${ending[0]}`;
  });
}
