/**
 * What the two hosts must provide, Node and the browser. `#platform` resolves to the file that
 * implements it (see "imports" in package.json); everything else in workers/ is host-independent.
 *
 * Globals that both provide (MessageChannel, performance, setTimeout, Blob) are used directly.
 */

/** What a host file is at a moment. */
export interface HostFileState {
  readonly sizeBytes: number;
  /** Changes when it is written. */
  readonly modifiedMs: number;
}

/** A host file or its like, open for positioned reads. */
export interface HostFile {
  readonly sizeBytes: number;
  readonly modifiedMs?: number;
  /** Only a file that others may change, and that is read only, has this. */
  readonly look?: () => Promise<HostFileState>;
  /** Reads up to `lengthBytes` bytes at `offsetBytes`; fewer only at the end of the file. */
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
  /** Only a file that was opened for writing has these; they reject with the host's error. */
  write?(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  truncate?(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Holds pages that do not fit into memory: slots of one page each, numbered from 1. */
export interface SwapStore {
  write(slot: number, page: Uint8Array): Promise<void>;
  /** The page that was last written to the slot. */
  read(slot: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Why a file cannot be opened: an errno number that `boot` and `addFile` turn into an error. */
export interface HostFileFailure {
  readonly errno: number;
  readonly reason: string;
}

/** To whom asynchronous work belongs. */
export interface Owners {
  /** Runs `work`; what it begins, and what that begins, belongs to `owner`. */
  run<Result>(owner: unknown, work: () => Result): Result;
  /** The owner of what runs now, in a handler of unhandled errors too; undefined for none. */
  current(): unknown;
}

/** The JavaScript heap of the calling thread. */
export interface HeapGauge {
  /** Most bytes of objects that have survived. */
  readonly limitBytes: number;
  /** Bytes of all objects, dead ones included. Takes 3 us. */
  usedBytes(): number;
  /** The same without young objects, which the limit does not count. Takes 15 us. */
  oldBytes(): number;
  /** Collects garbage: takes milliseconds, and in proportion to the live objects. */
  collect(): void;
}

export interface Platform {
  /** Inside a Worker: resolves to the message that its starter passed to `init`. */
  receiveInit(): Promise<unknown>;
  /** Inside a Worker: `handle` sees every unhandled error and rejection; the Worker lives on. */
  onUnhandled(handle: (error: unknown) => void): void;
  /** Inside a Worker: `leave` is called, and throws, when a program tries to end the host. */
  onExit(leave: (code: unknown) => never): void;
  /** null where the host cannot tell. */
  readonly owners: Owners | null;
  /** Inside a Worker: errors show places in the sources that modules were compiled from. */
  mapSources(): void;
  /**
   * What the host says of a module that did not load because of a syntax error: 'FILE:LINE' and
   * the line; null when it knows no more than the error.
   */
  explainSyntaxError(url: string, error: unknown): Promise<string | null>;
  /** Whether the host limits how many addresses the process may reserve (ulimit -v). */
  limitsAddresses(): boolean;
  /** Whether machines run the compiled kernel that do not say. */
  readonly compilesByDefault: boolean;
  /** Collects the calling thread's garbage, now; null where the host has no such thing. */
  readonly collectGarbage: (() => void) | null;
  /** null where the host does not tell. */
  readonly heap: HeapGauge | null;
  /** Runs a function in a later turn of the event loop. */
  readonly afterTurn: (run: () => void) => void;
  /** A module specifier as the host writes it (URL or path), made absolute. */
  resolveModule(specifier: string): string;
  /**
   * `import(url)`, out of the sight of bundlers; on Node of TypeScript too, whatever the version.
   */
  readonly importModule: (url: string) => Promise<Readonly<Record<string, unknown>>>;
  /** A file's path as the host writes it, in a form that means the same in every Worker. */
  resolveFile(path: string): string;
  /** For reading, or for reading and writing. A browser's files cannot be written: EROFS. */
  openFile(path: string, isWritable: boolean): Promise<HostFile | HostFileFailure>;
  /** Makes an empty swap store, gone when it is closed. */
  openSwap(): Promise<SwapStore>;
  /** Default of `onOutput`. */
  readonly writeOutput: (bytes: Uint8Array, fd: number) => void | Promise<void>;
  /** Default of `onPrint`. */
  readonly printLine: (line: string) => void;
}

export function isHostFileFailure(file: HostFile | HostFileFailure): file is HostFileFailure {
  return 'errno' in file;
}
