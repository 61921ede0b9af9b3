/** Progress of a benchmark on a terminal. */

export interface BenchProgress {
  readonly show: (what: string, done: number) => void;
  readonly stop: () => void;
}

/** A line on stderr where that is a terminal. It moves between measurements, never during one. */
export function startBenchProgress(): BenchProgress {
  if (!process.stderr.isTTY) return { show: () => {}, stop: () => {} };
  return {
    show: (what, done) => {
      process.stderr.write(`\r\u001b[K${Math.floor(done * 100)} % ${what}`);
    },
    stop: () => void process.stderr.write('\r\u001b[K'),
  };
}
