/** Outcomes of a page fault. */
import { BUS_ADRERR, SEGV_ACCERR, SEGV_MAPERR, SIGBUS, SIGSEGV } from '../../shared/signals.ts';

/** Resolved here, or by another CPU meanwhile: walk again. */
export const FAULT_DONE = 0;
/** The entry allowed the access already. Internal to the fault handler. */
export const FAULT_SPURIOUS = 1;
/** No mapping: SIGSEGV, SEGV_MAPERR. */
export const FAULT_MAPERR = 2;
/** The mapping does not allow it: SIGSEGV, SEGV_ACCERR. */
export const FAULT_ACCERR = 3;
/** Beyond the end of the object: SIGBUS, BUS_ADRERR. */
export const FAULT_BUS = 4;
/** No frame. */
export const FAULT_NO_MEMORY = 5;
/** The kernel worker must supply page `cpu.faultPage` of `cpu.faultObject`: a major fault. */
export const FAULT_WAIT = 6;
/** The page is a device's: call the handler of `cpu.faultObject`. */
export const FAULT_DEVICE = 7;

/** Signal of a refused fault. */
export function faultSignal(code: number): number {
  return code === FAULT_BUS ? SIGBUS : SIGSEGV;
}

/** si_code of a refused fault. */
export function faultSiCode(code: number): number {
  if (code === FAULT_BUS) return BUS_ADRERR;
  return code === FAULT_ACCERR ? SEGV_ACCERR : SEGV_MAPERR;
}
