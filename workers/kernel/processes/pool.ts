/**
 * The CPU workers of a machine, as the kernel worker manages them.
 *
 * Guarantees: a process is placed on the least loaded Worker of the pool, a thread on one with the
 * fewest threads of its process, or either alone on a spare CPU. A Worker that dies is replaced
 * under the same CPU number, after `cleanUp`; one that dies before it is ready is tried again at
 * the next `acquire`, so that a Worker that cannot start does not loop. `acquire` never hangs: it
 * resolves or rejects.
 * Locking: none; all methods run on the kernel worker's event loop.
 */
import { EAGAIN } from '../../../shared/abi/errno.ts';
import { panic } from '../../../shared/panic.ts';
import type { CpuApi } from '../../../shared/wire.ts';
import type { Connection } from '../../wire/endpoint.ts';
import { SyscallError, WorkerDied } from '../../wire/errors.ts';
import { describeThrown } from '../../wire/thrown.ts';

export interface PoolOptions {
  /** Shared Workers: CPUs 1 to `cpus`. */
  readonly cpus: number;
  /** CPUs beyond those, for dedicated Workers. */
  readonly spares: number;
  /** Starts a Worker; resolves to the kernel's end of their channel. */
  readonly start: (cpu: number, generation: number) => Promise<MessagePort>;
  /** Terminates a Worker so that it holds no kernel lock; `died` follows. */
  readonly terminate: (cpu: number, generation: number) => Promise<void>;
}

/** What serves the Workers of the pool. */
export interface WorkerCare {
  /** Gives a new Worker its connection to the kernel. */
  connect(cpu: number, port: MessagePort): Connection<CpuApi>;
  /**
   * Ends the dead CPU's processes and takes back what it owned, before it is replaced. `isOurs`:
   * the kernel ended the Worker, so that nothing on it need be to blame.
   */
  cleanUp(cpu: number, reason: string, isOurs: boolean): void;
}

/** A CPU of the pool; `generation` counts the Workers that have run it. */
export interface Slot {
  readonly cpu: number;
  readonly dedicated: boolean;
  generation: number;
  /** Processes placed on it. */
  load: number;
  state: 'empty' | 'starting' | 'live' | 'ending';
  connection: Connection<CpuApi> | null;
  /** While starting: resolves when the Worker is live. */
  ready: Promise<void>;
  /** Whether the present Worker has been live. */
  isProven: boolean;
  /** Why it is being ended, if the kernel does it. */
  endReason: string | null;
}

export class Pool {
  readonly #options: PoolOptions;
  readonly #slots: Slot[] = [];
  #care: WorkerCare | null = null;
  #isShutDown = false;
  #whenEmpty: (() => void) | null = null;
  /** Callers that wait for the CPU of a Worker that is ending. */
  #whenFreed: (() => void)[] = [];

  constructor(options: PoolOptions) {
    this.#options = options;
    for (let cpu = 1; cpu <= options.cpus + options.spares; cpu++) {
      this.#slots.push({
        cpu,
        dedicated: cpu > options.cpus,
        generation: 0,
        load: 0,
        state: 'empty',
        connection: null,
        ready: Promise.resolve(),
        isProven: false,
        endReason: null,
      });
    }
  }

  /** Starts the shared Workers; `care` serves all Workers. Rejects when one cannot start. */
  async startAll(care: WorkerCare): Promise<void> {
    this.#care = care;
    const shared = this.#slots.filter((slot) => !slot.dedicated);
    await Promise.all(shared.map((slot) => this.#start(slot)));
  }

  /**
   * A live CPU for one more process, already counted. Rejects with EAGAIN when there is none.
   * `peers`: the CPUs of the processes to run apart from, one entry for each process.
   */
  async acquire(dedicated: boolean, peers: readonly number[] = []): Promise<Slot> {
    let lastFailure: unknown = 'all CPUs for dedicated Workers are taken';
    const tried = new Set<Slot>();
    for (;;) {
      const slot = this.#choose(dedicated, peers, tried);
      if (slot === undefined && this.#isOneEnding(dedicated)) {
        await new Promise<void>((resolve) => this.#whenFreed.push(resolve));
        continue;
      }
      if (slot === undefined) {
        throw new SyscallError('spawn', EAGAIN, describeThrown(lastFailure));
      }
      tried.add(slot);
      slot.load++;
      const generation = slot.generation + (slot.state === 'empty' ? 1 : 0);
      try {
        if (slot.state === 'empty') await this.#start(slot);
        else await slot.ready;
        if (slot.state === 'live' && slot.generation === generation) return slot;
      } catch (error) {
        lastFailure = error;
      }
    }
  }

  /** One process fewer. The Worker of a dedicated one ends with it. */
  release(slot: Slot, generation: number): void {
    if (slot.generation !== generation || slot.load === 0) return;
    slot.load--;
    if (slot.dedicated && slot.load === 0) this.end(slot, 'its process has ended');
  }

  /** Ends a Worker and all processes on it. */
  end(slot: Slot, reason: string): void {
    if (slot.state !== 'live' && slot.state !== 'starting') return;
    slot.state = 'ending';
    slot.endReason = reason;
    void this.#options.terminate(slot.cpu, slot.generation);
  }

  /** The Worker of this CPU is gone; reports of an earlier generation are stale. */
  died(cpu: number, generation: number, reason: string): void {
    const slot = this.slot(cpu);
    if (slot === undefined || slot.generation !== generation || slot.state === 'empty') return;
    const line = slot.endReason ?? reason;
    const { connection, isProven } = slot;
    const isOurs = slot.endReason !== null && !this.#isShutDown;
    slot.state = 'empty';
    slot.connection = null;
    slot.endReason = null;
    slot.load = 0;
    this.#care?.cleanUp(cpu, line, isOurs);
    for (const retry of this.#whenFreed.splice(0)) retry();
    connection?.close(new WorkerDied(`the Worker of CPU ${cpu} has died: ${line}`));
    if (this.#isShutDown) this.#checkEmpty();
    // A failure to start is kept in `ready`, and met by the next `acquire`.
    else if (isProven && !slot.dedicated) this.#start(slot).catch(() => {});
  }

  slot(cpu: number): Slot | undefined {
    return this.#slots[cpu - 1];
  }

  /** The CPUs that run now. */
  live(): Slot[] {
    return this.#slots.filter((slot) => slot.state === 'live');
  }

  /** Ends all Workers; resolves when they are gone. */
  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    const gone = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    for (const slot of this.#slots) this.end(slot, 'the machine is shut down');
    this.#checkEmpty();
    await gone;
  }

  #checkEmpty(): void {
    if (this.#slots.every(({ state }) => state === 'empty')) this.#whenEmpty?.();
  }

  #choose(
    dedicated: boolean,
    peers: readonly number[],
    tried: ReadonlySet<Slot>,
  ): Slot | undefined {
    if (this.#isShutDown) return undefined;
    const usable = this.#slots.filter(
      (slot) => slot.dedicated === dedicated && slot.state !== 'ending' && !tried.has(slot),
    );
    if (dedicated) return usable.find((slot) => slot.state === 'empty' && slot.load === 0);
    const peersOn = (slot: Slot): number => peers.filter((cpu) => cpu === slot.cpu).length;
    return usable.sort((a, b) => peersOn(a) - peersOn(b) || a.load - b.load)[0];
  }

  #isOneEnding(dedicated: boolean): boolean {
    if (this.#isShutDown) return false;
    return this.#slots.some((slot) => slot.dedicated === dedicated && slot.state === 'ending');
  }

  #start(slot: Slot): Promise<void> {
    slot.state = 'starting';
    slot.generation++;
    slot.isProven = false;
    slot.ready = this.#bringUp(slot, slot.generation);
    return slot.ready;
  }

  async #bringUp(slot: Slot, generation: number): Promise<void> {
    const isCurrent = (): boolean => slot.generation === generation && slot.state === 'starting';
    const care = this.#care;
    if (care === null) panic('Pool: a Worker is asked for before startAll', slot.cpu);
    const port = await this.#options.start(slot.cpu, generation);
    if (!isCurrent()) {
      port.close();
      throw new WorkerDied(`the Worker of CPU ${slot.cpu} has died while it started`);
    }
    slot.connection = care.connect(slot.cpu, port);
    try {
      await slot.connection.remote.ready();
    } catch (error) {
      if (isCurrent()) this.end(slot, describeThrown(error));
      throw error;
    }
    if (!isCurrent()) return;
    slot.state = 'live';
    slot.isProven = true;
  }
}
