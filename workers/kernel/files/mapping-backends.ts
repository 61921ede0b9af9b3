/**
 * The mapping backends of a machine's users: runs their code inside the kernel's operations.
 *
 * Guarantees: nothing that a backend does or throws passes through the locked kernel. An answer
 * that is wrong, or a range that was not left as it must be, fails the operation, and the kernel
 * puts everything back; at the end of a process it is only reported.
 * Not guaranteed: anything about a backend that does not come back. The kernel waits for it.
 */
import { RangeOp, atomics, layout } from '../../../kernel/index.ts';
import type { BackendResult, MappingChange, SpaceBlock } from '../../../kernel/index.ts';
import { errnoNamed } from '../../../shared/abi/errno.ts';
import { panic } from '../../../shared/panic.ts';
import type { MappingBackendModule, MappingTable } from '../../api/mapping-api.ts';
import type { MappingBackend } from '../../../kernel/areas/mapping-backend.ts';
import { hexAddress } from '../../wire/hex-address.ts';
import { describeThrown } from '../../wire/thrown.ts';
import { OneCallTable } from './mapping-table.ts';
import { MAPPING_METHODS } from './user-modules.ts';

type UserBackend = MappingBackend<number, MappingTable>;

/** A backend under the name that it has in the machine. */
export interface NamedMapping {
  readonly name: string;
  readonly module: MappingBackendModule;
}

const FAILED: BackendResult = { cause: 'EIO' };

export class MappingBackends {
  readonly #log: (line: string) => void;
  /** From a module to its clones, by the number of the address space. */
  readonly #clones = new Map<MappingBackendModule, Map<number, UserBackend>>();

  /** Calls that have failed for want of memory and may be tried again, by what they were for. */
  readonly #attempts = new Map<string, OneCallTable[]>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** One call of a backend, in kernel mode with the range locked. */
  change(mapping: NamedMapping, change: MappingChange): BackendResult {
    const { op } = change;
    if (!(op instanceof RangeOp)) return panic('changeMapping: no RangeOp');
    const table = new OneCallTable(op, change);
    const result = this.#call(mapping, change, op, table);
    const attempt = `${mapping.name} ${table.space} ${change.method} ${change.address}`;
    if (result === true) {
      this.#attempts.delete(attempt);
    } else if (table.lacksMemory && !op.teardown) {
      // It may be tried again, with these frames and those that reclaim finds.
      this.#attempts.set(attempt, [...(this.#attempts.get(attempt) ?? []), table]);
    } else {
      table.giveUp();
    }
    return result;
  }

  /** Whether there is something to settle. */
  get isUnsettled(): boolean {
    return this.#attempts.size > 0;
  }

  /** What has failed for want of memory is not tried again: its frames are free. Kernel mode. */
  settle(): void {
    for (const tables of this.#attempts.values()) {
      for (const table of tables) table.giveUp();
    }
    this.#attempts.clear();
  }

  /** The clones of an address space that has ended. */
  endSpace(spaceId: number): void {
    for (const clones of this.#clones.values()) clones.delete(spaceId);
  }

  #call(
    mapping: NamedMapping,
    change: MappingChange,
    op: RangeOp,
    table: OneCallTable,
  ): BackendResult {
    let answer: unknown;
    try {
      answer = call(this.#backendOf(mapping, op), change, table);
    } catch (error) {
      table.close();
      return this.#fail(mapping, change, describeThrown(error));
    }
    table.close();
    return this.#judge(mapping, change, table, answer);
  }

  #judge(
    mapping: NamedMapping,
    change: MappingChange,
    table: OneCallTable,
    answer: unknown,
  ): BackendResult {
    if (answer !== true && table.lacksMemory) return { cause: 'ENOMEM' };
    if (answer === false) return { cause: 'EACCES' };
    if (answer !== true) return this.#failure(mapping, change, answer);
    const left = table.shortfall();
    if (left === null) return true;
    if (table.lacksMemory) return { cause: 'ENOMEM' };
    return this.#fail(mapping, change, `left ${hexAddress(left.address)} ${left.what}`);
  }

  /** Neither true nor false: a cause, or nothing that can be understood. */
  #failure(mapping: NamedMapping, change: MappingChange, answer: unknown): BackendResult {
    try {
      const { cause } = answer as { cause?: unknown };
      if (typeof cause === 'string') {
        if (errnoNamed(cause) !== 0) return { cause };
        return this.#fail(mapping, change, cause);
      }
      // What is thrown after the call has ended is of no use to anybody.
      if (answer instanceof Promise) answer.catch(() => {});
    } catch {
      // Not an object, or one that throws when it is read.
    }
    const wanted = 'true, false or { cause }, at once';
    const shown = describeThrown(answer).replace(/^thrown: /, '');
    return this.#fail(mapping, change, `answered ${shown}, not ${wanted}`);
  }

  #fail(mapping: NamedMapping, change: MappingChange, reason: string): BackendResult {
    const { method, address, size } = change;
    const range = `${hexAddress(address)} +${hexAddress(size)}`;
    this.#log(`${mapping.name}: ${method} ${range}: ${reason}`);
    return FAILED;
  }

  /** The address space's own backend; made at its first mapping. */
  #backendOf(mapping: NamedMapping, op: RangeOp): UserBackend {
    const clones = this.#clones.get(mapping.module) ?? new Map<number, UserBackend>();
    this.#clones.set(mapping.module, clones);
    const id = idOf(op, op.space);
    const own = clones.get(id);
    if (own !== undefined) return own;
    const parent = op.copiedFrom === 0 ? undefined : clones.get(idOf(op, op.copiedFrom));
    const clone = (parent ?? mapping.module).clone();
    const missing = MAPPING_METHODS.find(
      (name) => typeof (clone as Partial<UserBackend> | null | undefined)?.[name] !== 'function',
    );
    if (missing !== undefined) throw new TypeError(`clone() gave a backend without ${missing}`);
    clones.set(id, clone);
    return clone;
  }
}

function idOf({ cpu }: RangeOp, space: SpaceBlock): number {
  return atomics.peek(cpu.words, space + layout.SPACE.ID);
}

function call(backend: UserBackend, change: MappingChange, table: MappingTable): unknown {
  const { method, address, size, prot } = change;
  if (method === 'map') return backend.map(address, size, prot, table);
  if (method === 'unmap') return backend.unmap(address, size, table);
  return backend.protect(address, size, prot, table);
}
