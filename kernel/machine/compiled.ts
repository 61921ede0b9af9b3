/**
 * The kernel's compiled build, as a CPU has it: functions of a WebAssembly instance that belongs to
 * this CPU alone. They are made from the same source as the functions of these names, do the same
 * to the machine, and are called in their place where a CPU has them. Truth values are 0 and 1.
 */
import type { SpaceBlock, Vpn } from '../../shared/units.ts';

/** What is compiled. */
export interface Compiled {
  /** See mmu/miss.ts. */
  walkOrFault(space: SpaceBlock, vpn: Vpn, write: number): number;
  /** See faults/fault.ts. */
  handleFault(space: SpaceBlock, vpn: Vpn, write: number, major: number): number;
}
