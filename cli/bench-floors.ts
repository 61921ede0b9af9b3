/** `faultline bench` without a suite: the table of what Faultline exists for, against floors. */
import { compareDocuments } from '../lab/bench/floors/floor-results.ts';
import { runFloors } from '../lab/bench/floors/floor-runner.ts';
import { formatChanges, formatFloors } from './bench-floors-report.ts';
import { parseFloors } from './bench-floors-request.ts';
import { startBenchProgress } from './bench-progress.ts';

/** Returns the exit status. */
export async function benchFloors(args: readonly string[]): Promise<number> {
  const { options, compare, json } = parseFloors(args);
  const progress = startBenchProgress();
  const document = await runFloors(options, progress.show).finally(progress.stop);
  const changes = compare === null ? null : compareDocuments(compare, document);
  if (json) {
    console.log(JSON.stringify(changes === null ? document : { ...document, changes }, null, 2));
  } else {
    console.log(formatFloors(document));
    if (changes !== null) console.log(`\n${formatChanges(changes)}`);
  }
  return document.violations.length === 0 ? 0 : 1;
}
