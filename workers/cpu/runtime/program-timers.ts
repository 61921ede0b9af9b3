/**
 * Timers of programs. A process that ends must leave nothing behind that runs, so on a CPU worker
 * `setTimeout`, `setInterval` and `setImmediate` remember the process that runs when they are
 * called; its timers end with it. What no process runs (a module being loaded) has its timers as
 * ever.
 *
 * Not covered: timers imported from node:timers, and other callbacks of the host. They find that
 * the process has ended when they call the machine (ended-code.ts).
 */

type Callback = (this: unknown, ...args: unknown[]) => unknown;
type Start = (callback: Callback, ...rest: unknown[]) => unknown;
type Stop = (handle: unknown) => void;
type Globals = Record<string, unknown>;

interface Kind {
  readonly start: string;
  readonly stop: string;
  readonly repeats: boolean;
}

const KINDS: readonly Kind[] = [
  { start: 'setTimeout', stop: 'clearTimeout', repeats: false },
  { start: 'setInterval', stop: 'clearInterval', repeats: true },
  { start: 'setImmediate', stop: 'clearImmediate', repeats: false },
];

export interface ProgramTimersNeeds<Owner extends object> {
  /** The process that has the thread, if any has. */
  readonly running: () => Owner | null;
  /** What follows in this turn runs on the process's account. */
  readonly runs: (owner: Owner) => void;
}

export class ProgramTimers<Owner extends object> {
  readonly #needs: ProgramTimersNeeds<Owner>;
  /** Timers that are not over, with what stops them. */
  readonly #timers = new Map<Owner, Map<unknown, Stop>>();
  readonly #ownerOf = new Map<unknown, Owner>();
  readonly #ended = new WeakSet<Owner>();

  constructor(needs: ProgramTimersNeeds<Owner>) {
    this.#needs = needs;
  }

  /** Puts these timers in the place of the host's. */
  install(globals: Globals = globalThis): void {
    for (const kind of KINDS) {
      const start = globals[kind.start] as Start | undefined;
      const stop = globals[kind.stop] as Stop | undefined;
      // Browsers have no setImmediate.
      if (start === undefined || stop === undefined) continue;
      const starter: Start = (callback, ...rest) => {
        const owner = this.#needs.running();
        if (owner === null || typeof callback !== 'function') return start(callback, ...rest);
        const due = this.#due(owner, callback, kind.repeats);
        due.handle = start(due.run, ...rest);
        this.#add(owner, due.handle, stop);
        return due.handle;
      };
      // Node's have a form for util.promisify.
      globals[kind.start] = Object.defineProperties(
        starter,
        Object.getOwnPropertyDescriptors(start),
      );
      globals[kind.stop] = (handle: unknown) => {
        this.#forget(handle);
        stop(handle);
      };
    }
  }

  /** Stops the timers of a process that has ended. */
  end(owner: Owner): void {
    this.#ended.add(owner);
    this.stop(owner);
  }

  /** Stops the timers that a process has. */
  stop(owner: Owner): void {
    for (const [handle, stop] of this.#timers.get(owner) ?? []) {
      this.#ownerOf.delete(handle);
      stop(handle);
    }
    this.#timers.delete(owner);
  }

  /** What the host is to run, and the timer's handle once it has one. */
  #due(owner: Owner, callback: Callback, repeats: boolean): { handle: unknown; run: Callback } {
    const due = {
      handle: undefined as unknown,
      run: (...args: unknown[]): unknown => {
        if (!repeats) this.#forget(due.handle);
        if (this.#ended.has(owner)) return undefined;
        this.#needs.runs(owner);
        return callback.apply(due.handle, args);
      },
    };
    return due;
  }

  #add(owner: Owner, handle: unknown, stop: Stop): void {
    // Code that goes on after the end cannot start anything any more.
    if (this.#ended.has(owner)) {
      stop(handle);
      return;
    }
    const timers = this.#timers.get(owner) ?? new Map<unknown, Stop>();
    this.#timers.set(owner, timers.set(handle, stop));
    this.#ownerOf.set(handle, owner);
  }

  #forget(handle: unknown): void {
    const owner = this.#ownerOf.get(handle);
    if (owner === undefined) return;
    this.#ownerOf.delete(handle);
    const timers = this.#timers.get(owner);
    timers?.delete(handle);
    if (timers?.size === 0) this.#timers.delete(owner);
  }
}
