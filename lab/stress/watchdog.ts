/**
 * Detects a machine without progress: fails when a figure has not changed for a while.
 */
const LOOK_MS = 200;

export interface Watchdog {
  /** Rejects when the figure has not changed for `limitMs`; never resolves. */
  readonly barked: Promise<never>;
  stop(): void;
}

export function startWatchdog(progress: () => number, limitMs: number): Watchdog {
  let timer: ReturnType<typeof setInterval> | undefined;
  const barked = new Promise<never>((_resolve, reject) => {
    let last = progress();
    let lastMs = performance.now();
    timer = setInterval(() => {
      const now = progress();
      const nowMs = performance.now();
      if (now !== last) [last, lastMs] = [now, nowMs];
      else if (nowMs - lastMs >= limitMs) {
        clearInterval(timer);
        reject(new Error(`no progress for ${limitMs / 1000} s`));
      }
    }, LOOK_MS);
  });
  barked.catch(() => {});
  return { barked, stop: () => clearInterval(timer) };
}
