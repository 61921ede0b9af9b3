/*
 * Outcomes of mapping operations: results, not exceptions, so that every caller sees both paths.
 */
import { AddrRange } from '../../shared/addr/addr-range.ts';
import { ADDR_MAX, isAddr } from '../../shared/addr/addr.ts';
import type { BackendResult } from './mapping-backend.ts';

/** The kinds of failure. */
export type MappingErrorKind =
  /** The arguments make no sense: not an address, overflow, an empty range, no such area. */
  | 'InvalidParam'
  /** The range overlaps an existing mapping. */
  | 'AlreadyExists'
  /** The backend failed, or the area is in a state that forbids the operation. */
  | 'BadState'
  /** No node, frame or record left. */
  | 'NoMemory'
  /** A backend failed and the page table could not be restored: quarantine the range. */
  | 'NeedsRepair';

/** Why an operation failed. */
export interface MappingError {
  /** What went wrong. */
  readonly kind: MappingErrorKind;
  /** The sub-range that failed; null if the arguments name no range. */
  readonly range: AddrRange | null;
  /** An errno name or a sentence. */
  readonly cause: string;
}

/** A failed operation, which has changed nothing. */
export interface MappingFailure {
  /** Tells it from a success. */
  readonly ok: false;
  /** Why it failed. */
  readonly error: MappingError;
}

/** The outcome of an operation. */
export type MappingResult =
  | {
      /** Tells it from a failure. */
      readonly ok: true;
    }
  | MappingFailure;

/** The one success value: operations that change nothing allocate nothing. */
export const MAPPED: MappingResult = Object.freeze({ ok: true });

/** Makes a failure; for backends and stores of one's own. */
export function mappingFailure(
  kind: MappingErrorKind,
  range: AddrRange | null,
  cause: string,
): MappingFailure {
  return { ok: false, error: { kind, range, cause } };
}

/** The seeds' bool-to-error translation; `operation` names the call, `start..end` its range. */
export function backendOutcome(
  result: BackendResult,
  operation: string,
  start: number,
  end: number,
): MappingResult {
  if (result === true) return MAPPED;
  const range = new AddrRange(start, end);
  if (result === false)
    return mappingFailure('BadState', range, `the backend refused ${operation}`);
  const kind = result.cause === 'ENOMEM' ? 'NoMemory' : 'BadState';
  return mappingFailure(kind, result.range ?? range, result.cause);
}

/** Whether [start, start + size) are addresses. */
export function isRange(start: number, size: number): boolean {
  return isAddr(start) && isAddr(size) && size <= ADDR_MAX - start;
}

export function invalidRange(start: number, size: number): MappingFailure {
  return mappingFailure('InvalidParam', null, `${size} bytes from ${start} are no address range`);
}

export function noNodes(start: number, end: number): MappingFailure {
  return mappingFailure('NoMemory', new AddrRange(start, end), 'no room for another area');
}
