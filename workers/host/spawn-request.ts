/** What `spawn` sends to the kernel worker, from the host and from programs alike. */
import type { WireSpawn } from '../../shared/protocol.ts';
import type { CloneOptions, SpawnOptions } from '../api.ts';

/** `module` is an absolute URL. */
export function spawnRequest(module: string, options: SpawnOptions): WireSpawn {
  const { args = [], name = moduleName(module), dedicated = false, inherit = false } = options;
  return { module, entry: 'default', name, args, dedicated, inherit, thread: false, fork: false };
}

/** What `clone` sends: `module` is the caller's own. */
export function cloneRequest(module: string, entry: string, options: CloneOptions): WireSpawn {
  const { args = [], name = entry, dedicated = false } = options;
  return { module, entry, name, args, dedicated, inherit: false, thread: true, fork: false };
}

/** What `fork` sends: `module` is the caller's own. */
export function forkRequest(module: string, entry: string, args: readonly unknown[]): WireSpawn {
  const how = { dedicated: false, inherit: false, thread: false, fork: true };
  return { module, entry, name: entry, args, ...how };
}

/** The file name in a module's URL, without its extension; 'program' when it has none. */
function moduleName(module: string): string {
  const path = module.startsWith('data:') ? '' : module.replace(/[?#].*$/, '');
  const file = path.slice(path.lastIndexOf('/') + 1).replace(/\.[cm]?[jt]s$/, '');
  return file === '' ? 'program' : file;
}
