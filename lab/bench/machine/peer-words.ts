/** What a floor's peer Worker and its partner share. */
import type { Words } from '../../../shared/atomics.ts';

/** Number of the last question, of the last answer, and whether the peer polls: a line each. */
export const ASKED = 0;
export const ANSWERED = 16;
export const POLLING = 32;
export const PEER_BYTES = 256;
/** A message that comlink ignores: look at ASKED. */
export const DOORBELL = 0;

export interface PeerInit {
  readonly words: Words;
  /** Where to pin it, or null: a thread inherits its starter's place otherwise. */
  readonly hostCpu: number | null;
}

/** Six numbers as mmap has them; answers the first. */
export type Echo = (
  address: number,
  length: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
) => Promise<number>;
