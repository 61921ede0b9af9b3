/** What `spawn` sends to the kernel worker, from the host and from programs alike. */
import {
  CAPABILITY_NAMES,
  capabilityMask,
  unknownCapability,
} from '../../shared/abi/capabilities.ts';
import type { CapabilityName } from '../../shared/abi/capabilities.ts';
import { FRAMES_MAX, NICE_MAX, NICE_MIN, PAGE_SIZE } from '../../shared/limits.ts';
import { CLONE_VFORK, CLONE_VM } from '../../shared/abi/sched.ts';
import { SIGCHLD } from '../../shared/abi/signals.ts';
import type { WireSpawn } from '../../shared/wire.ts';
import type { CloneOptions, SpawnOptions } from '../api/machine-api.ts';
import { checkKinds } from './check-options.ts';
import type { OptionKind } from './check-options.ts';
import { parseSize } from './size.ts';

/** Bytes of a thread's stack, when nothing is said about it. */
const STACK_BYTES = 65536;

const plain = {
  entry: 'default',
  args: [],
  dedicated: false,
  inherit: false,
  thread: false,
  fork: false,
  clone: null,
  stackBytes: 0,
  nice: null,
  memoryMaxPages: null,
  capabilities: null,
};

export const spawnKinds: Readonly<Record<keyof SpawnOptions, OptionKind>> = {
  args: 'array',
  name: 'string',
  dedicated: 'boolean',
  inherit: 'boolean',
  nice: 'any',
  memoryMax: 'any',
  capabilities: 'any',
};

const cloneKinds: Readonly<Record<keyof CloneOptions, OptionKind>> = {
  args: 'array',
  name: 'string',
  dedicated: 'boolean',
  stackBytes: 'any',
  flags: 'any',
  stack: 'any',
  tls: 'any',
  parentTid: 'any',
  childTid: 'any',
};

/** `module` is an absolute URL. */
export function spawnRequest(module: string, options: SpawnOptions): WireSpawn {
  checkKinds('spawn', options, spawnKinds);
  const { args = [], name = moduleName(module), dedicated = false, inherit = false } = options;
  const { nice = null } = options;
  if (nice !== null && !(Number.isInteger(nice) && nice >= NICE_MIN && nice <= NICE_MAX)) {
    throw new RangeError(`spawn: nice must be an integer from ${NICE_MIN} to ${NICE_MAX}`);
  }
  const memoryMaxPages = options.memoryMax === undefined ? null : groupPages(options.memoryMax);
  const capabilities =
    options.capabilities === undefined ? null : checkCapabilities('spawn', options.capabilities);
  return { ...plain, module, name, args, dedicated, inherit, nice, memoryMaxPages, capabilities };
}

function groupPages(memoryMax: number | string): number {
  const pages = Math.floor((parseSize(memoryMax) ?? 0) / PAGE_SIZE);
  if (pages >= 1 && pages <= FRAMES_MAX) return pages;
  throw new RangeError("spawn: memoryMax must be 4KiB to 4GiB, in bytes or as '8MiB'");
}

/** The mask of a list of names; TypeError for anything else. `call` is whose option it is. */
export function checkCapabilities(call: string, names: readonly CapabilityName[]): number {
  if (!Array.isArray(names)) {
    throw new TypeError(`${call}: capabilities must be a list of names, such as ['CAP_IPC_LOCK']`);
  }
  const unknown = unknownCapability(names);
  if (unknown === null) return capabilityMask(names);
  const known = CAPABILITY_NAMES.join(', ');
  throw new RangeError(`${call}: capabilities must be among ${known}, got '${unknown}'`);
}

/** What `clone` sends: `module` is the caller's own. */
export function cloneRequest(module: string, entry: string, options: CloneOptions): WireSpawn {
  checkKinds('clone', options, cloneKinds);
  const { args = [], name = entry, dedicated = false, stack = null } = options;
  const { stackBytes = stack === null ? STACK_BYTES : 0 } = options;
  const request = { ...plain, module, entry, name, args, dedicated, stackBytes };
  const { flags, tls = 0, parentTid = 0, childTid = 0 } = options;
  if (flags === undefined && stack === null) return { ...request, thread: true };
  const clone = { flags: flags ?? CLONE_VM, stack, tls, parentTid, childTid };
  const thread = (clone.flags & CLONE_VM) !== 0;
  return { ...request, thread, fork: !thread, stackBytes: thread ? stackBytes : 0, clone };
}

/** What `vfork` sends: `module` is the caller's own. */
export function vforkRequest(module: string, entry: string, args: readonly unknown[]): WireSpawn {
  const flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
  return cloneRequest(module, entry, { args, flags, stackBytes: 0 });
}

/** What `fork` sends: `module` is the caller's own. */
export function forkRequest(module: string, entry: string, args: readonly unknown[]): WireSpawn {
  return { ...plain, module, entry, name: entry, args, fork: true };
}

/** The file name in a module's URL, without its extension; 'program' when it has none. */
export function moduleName(module: string): string {
  const path = module.startsWith('data:') ? '' : module.replace(/[?#].*$/, '');
  const file = path.slice(path.lastIndexOf('/') + 1).replace(/\.[cm]?[jt]s$/, '');
  return file === '' ? 'program' : file;
}
