/** spawn, clone and fork as their callers see them: memory is reclaimed for the new process. */
import { ENOMEM } from '../../../shared/abi/errno.ts';
import type { WireSpawn } from '../../../shared/wire.ts';

/** Times that memory is reclaimed for one new process. */
const RETRIES_MAX = 8;

export interface SpawnNeeds {
  readonly processes: { spawn(parent: number, request: WireSpawn): Promise<number> };
  /** Frees frames for a call of a process; false when there are none to be had. */
  readonly reclaim: (pid: number) => Promise<boolean>;
  /** It is not tried again. */
  readonly settle: () => void;
}

/** The pid, or -errno. No process is killed for a new one. */
export type Spawn = (parent: number, request: WireSpawn) => Promise<number>;

export function spawnWithReclaim({ processes, reclaim, settle }: SpawnNeeds): Spawn {
  return async (parent, request) => {
    let pid = await processes.spawn(parent, request);
    for (let i = 0; pid === -ENOMEM && i < RETRIES_MAX; i++) {
      if (!(await reclaim(parent))) break;
      pid = await processes.spawn(parent, request);
    }
    settle();
    return pid;
  };
}
