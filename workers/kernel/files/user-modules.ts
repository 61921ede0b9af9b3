/**
 * Device and backend modules: a machine's hardware and page sources that are not built in. They
 * run in the kernel worker. A module's default export is such an object, or a function that
 * returns one (or a promise of one).
 */
import { platform } from '#platform';

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

type Loaded = Readonly<Record<string, unknown>>;

async function loadExtension(url: string, methods: readonly string[]): Promise<Loaded> {
  const module = await platform.importModule(url);
  const made: unknown =
    typeof module['default'] === 'function'
      ? await (module['default'] as () => unknown)()
      : module['default'];
  const extension = made as Loaded | null | undefined;
  const size = extension?.['sizeBytes'];
  if (!Number.isSafeInteger(size) || (size as number) <= 0) {
    throw new TypeError(`the default export of ${url} has no sizeBytes`);
  }
  const missing = methods.find((name) => typeof extension?.[name] !== 'function');
  if (missing !== undefined) {
    throw new TypeError(`the default export of ${url} has no method ${missing}`);
  }
  return extension as Loaded;
}

export async function loadDevice(url: string): Promise<Device> {
  return (await loadExtension(url, ['load', 'store'])) as unknown as Device;
}

export async function loadBackend(url: string): Promise<Backend> {
  return (await loadExtension(url, ['readPage'])) as unknown as Backend;
}
