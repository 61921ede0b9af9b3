/**
 * The audit: stops the machine and checks everything that must hold between operations.
 *
 * - Every frame is in exactly one state and place; free + cached + used + kernel = all.
 * - Every reference count equals the entries and holders that exist.
 * - No entry points to a frame that is not in use; no table is linked twice.
 * - Areas are sorted, disjoint and maximal; every page of an area has an entry, and no page outside
 *   has one; entries allow exactly what their area allows.
 * - Reference counts of records and objects match the references that exist.
 * - Every futex waiter is its process's, and queued exactly while it waits.
 * - Every pin is its process's, and counted by its frames and its space.
 * - Swap slots count the entries that name them; their frames point back to them.
 * - Memory groups count the spaces and pages that are in them.
 * - TLBs hold nothing that the tables do not. No lock is held.
 *
 * It reads with plain accesses, because nobody else is in the kernel, and changes nothing.
 */
import { peek } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import { auditFrames } from './audit-frames.ts';
import { auditFutexes } from './audit-futexes.ts';
import { auditGroups } from './audit-groups.ts';
import { auditLayout } from './audit-layout.ts';
import { auditObjects } from './audit-objects.ts';
import { auditPins } from './audit-pins.ts';
import { auditSpaces } from './audit-spaces.ts';
import { auditSwap } from './audit-swap.ts';
import { AuditLedger } from './audit-ledger.ts';
import type { AuditOptions } from './audit-ledger.ts';
import type { Cpu } from '../machine/cpu.ts';
import { LOCK_CLASSES } from '../machine/lock-order.ts';
import { LOG_AUDIT, logEvent } from '../machine/log.ts';
import { resumeMachine, stopMachine } from './stop.ts';
import type { Stopped } from './stop.ts';

/** What an audit has found. */
export interface AuditResult {
  /** One sentence each; empty for a sound machine. */
  readonly violations: readonly string[];
  /** How much was looked at, by kind. */
  readonly checked: Readonly<Record<string, number>>;
}

/** Audits the whole machine. Kernel mode. Other CPUs wait meanwhile. */
export function audit(cpu: Cpu, options: AuditOptions = {}): AuditResult {
  const stopped = stopMachine(cpu);
  const ledger = new AuditLedger(cpu.machine);
  for (const pfn of options.heldFrames ?? []) ledger.hold(pfn);
  auditTlbs(cpu, ledger, stopped);
  auditLocks(cpu, ledger);
  auditLayout(cpu.machine, ledger);
  auditSpaces(cpu, ledger);
  auditObjects(cpu, ledger, options);
  auditFutexes(cpu, ledger);
  auditPins(cpu, ledger);
  auditSwap(cpu, ledger);
  auditGroups(cpu, ledger);
  auditFrames(cpu, ledger);
  resumeMachine(cpu);
  const { violations, checked } = ledger;
  logEvent(cpu, LOG_AUDIT, violations.length, cpu.machine.frames, checked['spaces'] ?? 0);
  return { violations, checked };
}

function auditTlbs(cpu: Cpu, ledger: AuditLedger, stopped: Stopped): void {
  for (const id of stopped.verified) {
    const block = cpu.machine.cpuBase + id * CPU.WORDS;
    const bad = peek(cpu.words, block + CPU.TLB_BAD);
    const vpn = peek(cpu.words, block + CPU.TLB_BAD_VPN);
    ledger.check(
      bad === 0,
      `CPU ${id}: ${bad} TLB entries differ from the tables, first VPN ${vpn}`,
    );
  }
  ledger.tally('tlbs', stopped.verified.length);
  ledger.tally('tlbsNotStopped', stopped.unverified.length);
}

function auditLocks(cpu: Cpu, ledger: AuditLedger): void {
  for (const { name, block, at } of LOCK_CLASSES) {
    const word = block === BOOT.LAYOUT ? peek(cpu.words, at) : 0;
    ledger.check(word === 0, `${name} held: 0x${word.toString(16)}`);
  }
}
