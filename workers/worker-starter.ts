/**
 * Starting Workers, which only the host does. `#start-worker` resolves to the file for Node or for
 * browsers (see "imports" in package.json). It is apart from `#platform`, which the Workers import
 * too: a bundler that follows `new Worker(…)` must not find the Workers' own entries in themselves.
 */

/** Which of the machine's two Worker entry files to start. */
export type WorkerKind = 'kernel' | 'cpu';

/** A started Worker, as its starter sees it. */
export interface WorkerHandle {
  /** Hands the Worker its first and only message; ports travel in `transfer`. */
  init(message: unknown, transfer: readonly MessagePort[]): void;
  /** Resolves when the Worker has ended. May be called on a dead one. */
  terminate(): Promise<void>;
}

/**
 * Starts a Worker, which does not keep the host's process alive. `onDeath` is called once, with one
 * line saying why, when it ended by itself, by `terminate()`, or because it failed to load; then
 * the line says the script's URL.
 */
export type StartWorker = (kind: WorkerKind, onDeath: (reason: string) => void) => WorkerHandle;
