/** How messages show addresses. */

/** A byte address as a 64-bit register holds it: -4 is 0xfffffffffffffffc. */
export function hexAddress(address: number): string {
  if (!Number.isInteger(address)) return String(address);
  return `0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`;
}
