/**
 * What is compiled, and what the compiled functions know of the machine.
 *
 * An instance of the module belongs to one CPU. So the objects that kernel code is given (the CPU,
 * its machine, TLB and fault cursor) are the same at every call: they have no value at run time.
 * What a member of one of them is then depends on how it is declared:
 *
 *     readonly number, boolean   an immutable global, given at instantiation
 *     readonly typed array       the address of its first byte, likewise: it lies in the memory
 *     number[]                   a short stack in the CPU's scratch memory
 *     get and set                a call of the accessor
 *     any other of the cursor    a global of the instance: only compiled code uses that cursor
 *     any other                  stays JavaScript's: an import reads it, an import writes it
 */

/** What to compile. */
export interface Target {
  /** The folder that all paths are relative to. */
  readonly root: string;
  /** Functions that the module exports, as `file#name`. */
  readonly roots: readonly string[];
  /** Functions that compiled code calls and that stay JavaScript, as `file#name`. */
  readonly imports: readonly string[];
  /** Types of which an instance knows one object each. */
  readonly objects: readonly string[];
  /** Of these, the types whose objects only compiled code changes. */
  readonly owned: readonly string[];
  /** Members that compiled code must not reach: a second object of a type above. */
  readonly others: readonly string[];
  /** The interface whose methods are chosen by the machine, and the objects that implement it. */
  readonly dispatch: { readonly type: string; readonly objects: readonly string[] };
  /** The file with the accesses to memory. */
  readonly facade: string;
}

/** The faultline kernel: the way of a page fault, from the miss to the retry. */
export function kernelTarget(root: string): Target {
  return {
    root,
    roots: ['kernel/mmu/miss.ts#walkOrFault', 'kernel/faults/fault.ts#handleFault'],
    imports: [
      'kernel/faults/object-fault.ts#resolveObject',
      'kernel/faults/object-fault.ts#toObject',
      'kernel/faults/swap-in.ts#resolveSwap',
      'kernel/machine/held-locks.ts#checkHeld',
      'kernel/machine/held-locks.ts#checkNoLockHeld',
      'kernel/machine/held-locks.ts#noteReleased',
      'kernel/machine/held-locks.ts#noteTaken',
      'kernel/machine/tlb.ts#tlbFlushAll',
      'kernel/mmu/kernel-entry.ts#answerAudit',
      'kernel/mmu/tlb-sync.ts#acknowledge',
      'kernel/paging/shootdown.ts#shootDown',
      'kernel/space/grow.ts#growDown',
    ],
    objects: ['Cpu', 'Machine', 'Tlb', 'TlbState', 'Cursor', 'LockingProtocol'],
    owned: ['Cursor'],
    others: ['Cpu.rangeCursor', 'Tlb.polls'],
    dispatch: {
      type: 'LockingProtocol',
      objects: [
        'kernel/locking/rcu.ts#rcuProtocol',
        'kernel/locking/path.ts#pathProtocol',
        'kernel/locking/vma.ts#vmaProtocol',
        'kernel/locking/rwlock-protocol.ts#rwlockProtocol',
        'kernel/locking/global.ts#globalProtocol',
      ],
    },
    facade: 'shared/atomics.ts',
  };
}

/** Bytes of scratch memory of each CPU: the stacks of its cursor. */
export const STACK_WORDS = 16;
