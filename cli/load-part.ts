/** Loads a part of the machine that the user has written: a locking protocol or reclaim policy. */
import { missingProtocolMethod } from '../workers/boot/protocol-methods.ts';
import { missingReclaimMethod } from '../workers/kernel/memory/load-reclaim.ts';
import { describeThrown } from '../workers/wire/thrown.ts';
import type { LoadedModule } from './bundle-module.ts';
import { loadModule } from './load-module.ts';
import { UsageError } from './usage-error.ts';

type MissingMethod = (part: unknown) => string | null;

const missingMethod: Readonly<Record<PartKind, MissingMethod>> = {
  protocol: missingProtocolMethod,
  'reclaim policy': missingReclaimMethod,
};

export type PartKind = 'protocol' | 'reclaim policy';

/**
 * A module that `requireModule` accepted. Throws UsageError when it does not load or is no such
 * part: `boot` would say so too, of the file that was made of it.
 */
export async function loadPart(what: PartKind, path: string): Promise<LoadedModule> {
  const module = await loadModule(path);
  try {
    const { default: part } = (await import(module.url.href).catch((error: unknown) => {
      throw new UsageError(`'${path}' did not load: ${describeThrown(error)}`);
    })) as { default?: unknown };
    const missing = missingMethod[what](part);
    if (missing === null) return module;
    throw new UsageError(
      `'${path}' is no ${what}: ` +
        (part === undefined
          ? 'it has no default export'
          : `its default export has no method ${missing}`),
    );
  } catch (error) {
    await module.dispose();
    throw error;
  }
}
