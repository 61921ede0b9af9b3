/**
 * Whether a wait in which a whole Worker sleeps can end. It can if a child that is waited for runs,
 * or can be started, on a CPU that is awake, or whose own sleep can end.
 *
 * Guarantees: a wait that a running child could end is never refused; of waits that only each
 * other could end, the last one is. What else a Worker may sleep in is not looked at.
 */
/** A wait by trap: `child` null is any of the caller's. */
export interface SleepingWait {
  readonly caller: number;
  readonly child: number | null;
}

/**
 * `sleeping`: the waits by the CPU that sleeps in each, `wait` among them; `cpusFor`: on which CPUs
 * the children run that a wait is for, or may be started.
 */
export function canWaitEnd(
  wait: SleepingWait,
  sleeping: ReadonlyMap<number, SleepingWait>,
  cpusFor: (wait: SleepingWait) => readonly number[],
): boolean {
  const seen = new Set<number>();
  const open = [...cpusFor(wait)];
  for (;;) {
    const cpu = open.pop();
    if (cpu === undefined) return false;
    if (seen.has(cpu)) continue;
    seen.add(cpu);
    const its = sleeping.get(cpu);
    if (its === undefined) return true;
    open.push(...cpusFor(its));
  }
}
