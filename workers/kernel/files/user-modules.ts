/**
 * Device and backend modules: a machine's hardware and page sources that are not built in. They
 * run in the kernel worker. A module's default export is such an object, or a function that
 * returns one (or a promise of one).
 */
import { platform } from '#platform';
import { FILE_BYTES_MAX } from '../../../shared/limits.ts';
import type { MappingBackendModule } from '../../api/mapping-api.ts';
import { describeThrown } from '../../wire/thrown.ts';

/**
 * Registers behind MMIO pages, opened as `/dev/NAME` and mapped with MAP_SHARED: with O_RDWR for a
 * mapping that may be written, as O_RDONLY, the default, gives EACCES. Each load and store of the
 * program waits for a call here; calls come one after the other only if the program makes them so.
 */
export interface Device {
  /** Size of the register file in bytes. */
  readonly sizeBytes: number;
  /**
   * A load of 1, 2 or 4 bytes at a byte offset, 0 to sizeBytes - width; the value is unsigned, and
   * cut to the width. What it throws is SIGBUS for the program, and a line of output.
   */
  load(offsetBytes: number, widthBytes: number): number | Promise<number>;
  /** A store of 1, 2 or 4 bytes of an unsigned value. Throws as `load` does. */
  store(offsetBytes: number, widthBytes: number, value: number): void | Promise<void>;
}

/** A source of pages, opened as `/backend/NAME` and mapped privately or shared. */
export interface Backend {
  /** Size of the object in bytes, at least 1. */
  readonly sizeBytes: number;
  /** Fills the (zeroed) 4 KiB of page `page`. What it throws becomes SIGBUS in the program. */
  readPage(page: number, target: Uint8Array): void | Promise<void>;
  /**
   * Asked before a range of it is mapped, unmapped or protected; false refuses with EACCES.
   * Synchronous, because the address space is locked meanwhile. Optional: all is allowed.
   */
  map?(start: number, sizeBytes: number, prot: number): boolean;
  /** Asked before a range is unmapped; not when the process ends. */
  unmap?(start: number, sizeBytes: number): boolean;
  /** Asked before a range gets other PROT_ flags. */
  protect?(start: number, sizeBytes: number, prot: number): boolean;
}

/** What a mapping backend must have; `clone` tells it from a source of pages. */
export const MAPPING_METHODS = ['map', 'unmap', 'protect', 'clone'] as const;

type Loaded = Readonly<Record<string, unknown>>;

async function attempt<Made>(what: string, make: () => Made): Promise<Awaited<Made>> {
  try {
    return await make();
  } catch (error) {
    throw new TypeError(`${what}: ${describeThrown(error)}`, { cause: error });
  }
}

/** The object that a module is about. What is wrong with it is one sentence with the URL. */
async function loadExtension(what: string, url: string): Promise<Loaded> {
  const module = await attempt(`${what} ${url} cannot be loaded`, () => platform.importModule(url));
  let made = module['default'];
  if (typeof made === 'function') {
    const make = made as () => unknown;
    made = await attempt(`${what} ${url}: its default export threw`, make);
  }
  if (typeof made !== 'object' || made === null) {
    throw new TypeError(`${what} ${url}: its default export is no object, nor a function of one`);
  }
  const extension = made as Loaded;
  const size = extension['sizeBytes'];
  if (!Number.isSafeInteger(size) || (size as number) <= 0 || (size as number) > FILE_BYTES_MAX) {
    throw new TypeError(`${what} ${url}: sizeBytes must be an integer from 1, got ${String(size)}`);
  }
  return extension;
}

function checkMethods(
  what: string,
  url: string,
  extension: Loaded,
  required: readonly string[],
  optional: readonly string[] = [],
): void {
  for (const name of [...required, ...optional]) {
    const isOptional = !required.includes(name) && extension[name] === undefined;
    if (typeof extension[name] !== 'function' && !isOptional) {
      throw new TypeError(`${what} ${url}: its default export has no method ${name}`);
    }
  }
}

export async function loadDevice(url: string): Promise<Device> {
  const device = await loadExtension('device', url);
  checkMethods('device', url, device, ['load', 'store']);
  return device as unknown as Device;
}

/** One of the two kinds of backends. */
export async function loadBackend(
  url: string,
): Promise<{ readonly backend: Backend } | { readonly mapping: MappingBackendModule }> {
  const extension = await loadExtension('backend', url);
  if (extension['clone'] !== undefined) {
    checkMethods('backend', url, extension, MAPPING_METHODS, ['readPage']);
    return { mapping: extension as unknown as MappingBackendModule };
  }
  checkMethods('backend', url, extension, ['readPage'], ['map', 'unmap', 'protect']);
  return { backend: extension as unknown as Backend };
}
