/**
 * The protocols that a benchmark compares. A user's module is compiled twice: for the machine, and
 * for the counting pass, where its 'faultline/kernel' is the build whose atomics count.
 */
import { basename, extname } from 'node:path';
import type { Candidate } from '../lab/bench/protocols/protocol-suites.ts';
import { bundleModule, installedUrl } from './bundle-module.ts';
import type { LoadedModule } from './bundle-module.ts';
import { loadPart } from './load-part.ts';

export interface LoadedCandidates {
  readonly candidates: readonly Candidate[];
  /** Removes what was written for them. */
  readonly dispose: () => Promise<void>;
}

/** `protocols` has built-in names and module files. */
export async function loadCandidates(
  protocols: readonly string[],
  count: boolean,
): Promise<LoadedCandidates> {
  const loaded: LoadedModule[] = [];
  const dispose = async (): Promise<void> => {
    for (const module of loaded) await module.dispose();
  };
  const load = async (protocol: string): Promise<Candidate> => {
    if (extname(protocol) === '') return { name: protocol, protocol, countingProtocol: protocol };
    const module = await loadPart('protocol', protocol);
    loaded.push(module);
    const counting = count ? await loadForCounting(protocol) : null;
    if (counting !== null) loaded.push(counting);
    const countingProtocol = counting?.url.href ?? null;
    return { name: basename(protocol), protocol: module.url.href, countingProtocol };
  };
  const candidates: Candidate[] = [];
  try {
    for (const protocol of protocols) candidates.push(await load(protocol));
  } catch (error) {
    await dispose();
    throw error;
  }
  return { candidates, dispose };
}

/**
 * A module that `loadPart` has compiled. null when it imports the kernel's sources and so brings
 * an atomics façade of its own: its accesses could not be counted, and a partial count misleads.
 */
async function loadForCounting(path: string): Promise<LoadedModule | null> {
  const { inputs, ...module } = await bundleModule(path, (specifier) =>
    installedUrl(specifier === 'faultline/kernel' ? 'faultline/bench-counting-kernel' : specifier),
  );
  if (!inputs.some((input) => input.endsWith('shared/atomics.ts'))) return module;
  await module.dispose();
  return null;
}
