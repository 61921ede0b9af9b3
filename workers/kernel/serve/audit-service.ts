/**
 * The audit on the host's request: idle CPUs are called in first, so that their TLBs are checked
 * too; then the kernel stops the machine and checks it.
 */
import { audit } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import type { AuditReport } from '../../api/machine-api.ts';
import { inKernel } from '../in-kernel.ts';
import type { ObjectRegistry } from '../files/object-registry.ts';
import type { Pool } from '../processes/pool.ts';

/** A CPU that has not come in by then is busy; the kernel stops it in user mode or not at all. */
const ATTEND_MS = 100;

export interface AuditServiceNeeds {
  readonly cpu: Cpu;
  readonly pool: Pool;
  readonly objects: ObjectRegistry;
  /** Of Workers that programs do not give back. */
  readonly notes: () => readonly string[];
}

export class AuditService {
  readonly #cpu: Cpu;
  readonly #pool: Pool;
  readonly #objects: ObjectRegistry;
  readonly #notes: AuditServiceNeeds['notes'];
  /** CPUs that have been called and not come in yet. */
  readonly #called = new Set<number>();
  #allAttend: (() => void) | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ cpu, pool, objects, notes }: AuditServiceNeeds) {
    this.#cpu = cpu;
    this.#pool = pool;
    this.#objects = objects;
    this.#notes = notes;
  }

  /** One audit at a time: each stops the machine. */
  run(): Promise<AuditReport> {
    const run = this.#last.then(() => this.#run());
    this.#last = run.catch(() => {});
    return run;
  }

  /** A CPU has come in and waits in the kernel. */
  attending(cpu: number): void {
    this.#called.delete(cpu);
    if (this.#called.size === 0) this.#allAttend?.();
  }

  async #run(): Promise<AuditReport> {
    await this.#callIn();
    const heldObjects = new Map(this.#objects.blocks().map((block) => [block, 1]));
    const heldFrames = this.#objects.writeBack.heldFrames();
    const held = { heldObjects, heldFrames };
    const { violations, checked } = inKernel(this.#cpu, () => audit(this.#cpu, held));
    return { clean: violations.length === 0, violations, notes: this.#notes(), checked };
  }

  async #callIn(): Promise<void> {
    const live = this.#pool.live();
    if (live.length === 0) return;
    const all = new Promise<void>((resolve) => {
      this.#allAttend = resolve;
    });
    for (const { cpu, connection } of live) {
      this.#called.add(cpu);
      connection?.remote.attend().catch(() => this.attending(cpu));
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, ATTEND_MS);
    });
    await Promise.race([all, late]);
    clearTimeout(timer);
    this.#called.clear();
    this.#allAttend = null;
  }
}
