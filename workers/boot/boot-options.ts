/**
 * Checks the options of `boot` and fills in defaults. Each error is one sentence that names the
 * option; unknown options are errors too, because a misspelt one would be ignored silently.
 */
import { platform } from '#platform';
import { FLUSH_POLICIES, INJECT_KINDS, parseInjection } from '../../kernel/index.ts';
import type { FlushPolicy, Injection } from '../../kernel/index.ts';
import {
  DEDICATED_CPUS_MAX,
  FRAMES_MAX,
  FRAMES_MIN,
  PAGE_SIZE,
  SWAP_SLOTS_MAX,
} from '../../shared/limits.ts';
import { FAULT_MODES } from '../../shared/wire.ts';
import type { KernelInit, WireFile } from '../../shared/wire.ts';
import { checkKinds, checkModule, shown } from './check-options.ts';
import type { OptionKind } from './check-options.ts';
import { parseSize } from './size.ts';
import { CAPABILITY_NAMES } from '../../shared/abi/capabilities.ts';
import { checkCapabilities } from './spawn-request.ts';
import type { BootOptions, FileSource } from '../api/machine-api.ts';

/** Most CPUs in the pool. */
const POOL_CPUS_MAX = 32;

export interface CheckedOptions extends Omit<KernelInit, 'memory' | 'kernel' | 'port'> {
  readonly frames: number;
  readonly swapSlots: number;
  readonly injections: readonly Injection[];
  readonly checked: boolean;
  /** A mask (capabilities.ts). */
  readonly capabilities: number;
  readonly shootdown: FlushPolicy;
  readonly onPrint: (line: string, pid: number) => void;
  readonly onOutput: (bytes: Uint8Array, fd: number, pid: number) => void | Promise<void>;
}

function fail(option: string, expected: string, value: unknown): never {
  throw new RangeError(`boot: ${option} must be ${expected}, got ${shown(value)}`);
}

function checkFrames(memory: number | string): number {
  const bytes = parseSize(memory);
  const frames = bytes === undefined ? NaN : Math.floor(bytes / PAGE_SIZE);
  if (frames >= FRAMES_MIN && frames <= FRAMES_MAX) return frames;
  return fail('memory', "1MiB to 4GiB, in bytes or as '64MiB'", memory);
}

function checkSwap(swap: number | string): number {
  const bytes = swap === 0 || swap === '0' ? 0 : parseSize(swap);
  const slots = bytes === undefined ? NaN : Math.floor(bytes / PAGE_SIZE);
  if (slots >= 0 && slots <= SWAP_SLOTS_MAX) return slots;
  return fail('swap', "0 or a size up to 16GiB, in bytes or as '64MiB'", swap);
}

function checkPrezero(size: number | string): number {
  const bytes = size === 0 || size === '0' ? 0 : parseSize(size);
  const frames = bytes === undefined ? NaN : Math.floor(bytes / PAGE_SIZE);
  if (frames >= 0 && frames <= FRAMES_MAX) return frames;
  return fail('prezero', "0 or a size up to 4GiB, in bytes or as '16MiB'", size);
}

function checkInject(inject: NonNullable<BootOptions['inject']>): Injection[] {
  return Object.entries(inject).map(([name, given]) => {
    const kind = INJECT_KINDS.find((known) => known === name);
    if (kind === undefined) return fail('inject', `keyed by ${INJECT_KINDS.join(', ')}`, name);
    const injection = parseInjection(kind, String(given));
    return injection ?? fail(`inject.${kind}`, "a number from 1, or a share like '2%'", given);
  });
}

/** A built-in's name is kept as it is; anything else is a module. */
function nameOrModule(part: string | URL): string {
  const name = String(part);
  return /^[a-z0-9-]+$/.test(name) ? name : platform.resolveModule(name);
}

function checkInteger(option: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  return fail(option, `an integer from ${min} to ${max}`, value);
}

/** A name becomes a path, such as /dev/NAME. */
function checkNames(option: string, table: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(table)) {
    if (name === '' || name.includes('\0')) fail(option, 'keyed by non-empty names', name);
  }
}

function moduleTable(
  option: string,
  table: Readonly<Record<string, URL | string>> = {},
): Record<string, string> {
  checkNames(option, table);
  return Object.fromEntries(
    Object.entries(table).map(([name, module]) => {
      checkModule(`boot: ${option}.${name}`, module);
      return [name, platform.resolveModule(String(module))];
    }),
  );
}

function linearTable(
  table: Readonly<Record<string, number | string>> = {},
): Record<string, number> {
  checkNames('linear', table);
  return Object.fromEntries(
    Object.entries(table).map(([name, size]) => [
      name,
      parseSize(size) ?? fail(`linear.${name}`, "a size in bytes or as '64KiB'", size),
    ]),
  );
}

/** What the kernel worker gets for a file: paths in a form that it understands. */
export function wireFile(name: string, source: FileSource): WireFile {
  if (typeof source === 'string') return platform.resolveFile(source);
  if (source instanceof Uint8Array || source instanceof Blob) return source;
  if (typeof source?.path === 'string' && typeof source.writable === 'boolean') {
    const path = platform.resolveFile(source.path);
    return source.writable ? { path } : path;
  }
  throw new TypeError(
    `file '${name}' must be a path, a Uint8Array or a Blob, or { path, writable }`,
  );
}

const optionKinds: Readonly<Record<keyof BootOptions, OptionKind>> = {
  memory: 'any',
  cpus: 'any',
  protocol: 'module',
  faults: 'any',
  shootdown: 'any',
  inject: 'object',
  swap: 'any',
  reclaim: 'module',
  prezero: 'any',
  capabilities: 'any',
  checked: 'boolean',
  compiled: 'boolean',
  seed: 'any',
  files: 'object',
  devices: 'object',
  backends: 'object',
  linear: 'object',
  onPrint: 'function',
  onOutput: 'function',
  signal: 'signal',
};

export function checkOptions(options: BootOptions): CheckedOptions {
  checkKinds('boot', options, optionKinds);
  const { faults = 'local', protocol = 'rcu', shootdown = 'batched', files = {} } = options;
  if (!FAULT_MODES.includes(faults)) {
    fail('faults', FAULT_MODES.map((mode) => `'${mode}'`).join(' or '), faults);
  }
  if (!FLUSH_POLICIES.includes(shootdown)) {
    fail('shootdown', `one of ${FLUSH_POLICIES.join(', ')}`, shootdown);
  }
  checkNames('files', files);
  return {
    frames: checkFrames(options.memory ?? '64MiB'),
    cpus: checkInteger('cpus', options.cpus ?? 2, 1, POOL_CPUS_MAX),
    injections: checkInject(options.inject ?? {}),
    swapSlots: checkSwap(options.swap ?? 0),
    reclaim: nameOrModule(options.reclaim ?? 'clock'),
    prezeroFrames: checkPrezero(options.prezero ?? 0),
    protocol: nameOrModule(protocol),
    faults,
    shootdown,
    checked: options.checked ?? false,
    capabilities: checkCapabilities('boot', options.capabilities ?? CAPABILITY_NAMES),
    seed: checkInteger('seed', options.seed ?? 1, 0, 2 ** 32 - 1),
    files: Object.fromEntries(
      Object.entries(files).map(([name, source]) => [name, wireFile(name, source)]),
    ),
    devices: moduleTable('devices', options.devices),
    backends: moduleTable('backends', options.backends),
    linear: linearTable(options.linear),
    onPrint: options.onPrint ?? platform.printLine,
    onOutput: options.onOutput ?? platform.writeOutput,
  };
}

/** CPU blocks of a machine: the kernel worker, the pool and the spares. */
export function cpuBlocks(poolCpus: number): number {
  return 1 + poolCpus + DEDICATED_CPUS_MAX;
}
