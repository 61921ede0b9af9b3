/**
 * Capabilities (capabilities(7)) that a process may have here, with Linux's numbers. A set of them
 * is a mask: bit n for the capability with number n.
 *
 *   CAP_IPC_LOCK      locks memory beyond RLIMIT_MEMLOCK
 *   CAP_SYS_PTRACE    accesses the memory of processes with more capabilities
 *   CAP_SYS_ADMIN     nothing asks for it: what it would allow is refused to all; kept and shown
 *   CAP_SYS_NICE      lowers nice values
 *   CAP_SYS_RESOURCE  raises hard limits
 */
export const CAP_IPC_LOCK = 14;
export const CAP_SYS_PTRACE = 19;
const CAP_SYS_ADMIN = 21;
export const CAP_SYS_NICE = 23;
export const CAP_SYS_RESOURCE = 24;

/** As Linux spells it; those that this machine knows. */
export type CapabilityName =
  'CAP_IPC_LOCK' | 'CAP_SYS_PTRACE' | 'CAP_SYS_ADMIN' | 'CAP_SYS_NICE' | 'CAP_SYS_RESOURCE';

const NUMBERS: Readonly<Record<CapabilityName, number>> = {
  CAP_IPC_LOCK,
  CAP_SYS_PTRACE,
  CAP_SYS_ADMIN,
  CAP_SYS_NICE,
  CAP_SYS_RESOURCE,
};

export const CAPABILITY_NAMES: readonly CapabilityName[] = Object.keys(NUMBERS) as CapabilityName[];

/** All of them, as root has. */
export const ALL_CAPABILITIES: number = capabilityMask(CAPABILITY_NAMES);

export function capabilityMask(names: readonly CapabilityName[]): number {
  let mask = 0;
  for (const name of names) mask |= 1 << NUMBERS[name];
  return mask;
}

/** The first entry of a caller's list that is no capability's name, or null. */
export function unknownCapability(names: readonly unknown[]): string | null {
  const found = names.findIndex((name) => !CAPABILITY_NAMES.includes(name as CapabilityName));
  return found < 0 ? null : String(names[found]);
}
