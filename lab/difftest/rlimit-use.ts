/** What counts against RLIMIT_AS and RLIMIT_DATA: limits of a sequence are counted from there. */
import type { MapsLine, Placed } from './maps-text.ts';
import type { Sequence } from './sequence.ts';

/** Bytes. */
export interface RlimitUse {
  readonly as: number;
  readonly data: number;
}

export const NO_RLIMIT_USE: RlimitUse = { as: 0, data: 0 };

/** Whether an argument is counted from what is in use when the sequence begins. */
export function needsRlimitUse({ ops }: Sequence): boolean {
  return ops.some(({ args }) =>
    args.some((arg) => typeof arg === 'object' && (arg.base === 'as' || arg.base === 'data')),
  );
}

/** Of a whole process, from the text of /proc/PID/status. */
export function rlimitUseOf(status: string): RlimitUse {
  return { as: kibIn(status, 'VmSize') * 1024, data: kibIn(status, 'VmData') * 1024 };
}

/** Of the areas that begin in the windows. */
export function rlimitUseIn(lines: readonly MapsLine[], windows: readonly Placed[]): RlimitUse {
  const usage = { as: 0, data: 0 };
  for (const { start, end, permissions } of lines) {
    if (!windows.some((window) => window.start <= start && start < window.end)) continue;
    usage.as += end - start;
    if (permissions[1] === 'w' && permissions[3] === 'p') usage.data += end - start;
  }
  return usage;
}

function kibIn(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]);
}
