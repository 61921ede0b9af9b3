/** Loads a program's module on the CPU worker that is to run it. */
import { platform } from '#platform';
import type { Program } from '../../api/machine-api.ts';
import { ENOENT, ENOEXEC } from '../../../shared/abi/errno.ts';
import { thrownStatus } from './thrown-status.ts';

/** Why a program cannot be started: how its process ends, and as execve(2) says it. */
export interface LoadFailure {
  readonly status: ReturnType<typeof thrownStatus>;
  readonly errno: number;
}

/** The function `entry` of a module, by URL. Never rejects. */
export async function loadProgram(module: string, entry: string): Promise<Program | LoadFailure> {
  try {
    const loaded = await platform.importModule(module);
    const main = loaded[entry];
    if (typeof main === 'function') return main as Program;
    const reason =
      entry === 'default'
        ? 'its module has no default export that is a function'
        : `its module exports no function ${entry}`;
    return { status: { signal: 'SIGABRT', reason }, errno: ENOEXEC };
  } catch (error) {
    const isMissing = (error as { code?: unknown } | null)?.code === 'ERR_MODULE_NOT_FOUND';
    const explained = await platform.explainSyntaxError(module, error);
    const thrown = thrownStatus(error, 'its module did not load: ');
    const status = explained === null ? thrown : { ...thrown, stack: explained };
    return { status, errno: isMissing ? ENOENT : ENOEXEC };
  }
}
