/** The result of a run: the document that `--json` prints and from which the tables are made. */
import type {
  AuditReport,
  ExitStatus,
  MachineReport,
  ProcessReport,
  SyscallReport,
} from '../workers/api/machine-api.ts';
import { placeIn } from '../workers/wire/thrown.ts';
import { hexAddress } from '../workers/wire/hex-address.ts';
import type { WordCheck } from './wc.ts';

export interface PrintedLine {
  readonly pid: number;
  readonly line: string;
}

export interface RunDocument {
  readonly program: string;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  /** The status this command ends with. */
  readonly exitStatus: 0 | 1 | 130;
  /** Why it is not 0, one line each. */
  readonly problems: readonly string[];
  /** How the program ended; null when it never began. */
  readonly status: ExitStatus | null;
  readonly timedOut: boolean;
  /** By the user, with Ctrl-C. */
  readonly interrupted: boolean;
  readonly wallMs: number;
  /** Where it ran; the load is the mean number of threads that wanted a core in the last minute. */
  readonly host: { readonly cores: number; readonly load: number };
  readonly result: { readonly output: readonly PrintedLine[]; readonly check: WordCheck | null };
  readonly processes: readonly ProcessReport[];
  readonly machine: Omit<MachineReport, 'processes' | 'syscalls'>;
  readonly syscalls: readonly SyscallReport[];
  readonly audit: AuditReport;
  readonly dmesg?: readonly string[];
}

/** 'exit 0', or the signal with what is known about it. */
export function describeStatus(status: ExitStatus | null): string {
  if (status === null) return 'running';
  if (status.code !== undefined) return `exit ${status.code}`;
  const { signal, faultCode, address, reason } = status;
  const place = address === undefined ? '' : ` at ${hexAddress(address)}`;
  const fault = faultCode === undefined ? '' : ` ${faultCode}${place}`;
  return `${signal}${fault}${reason === undefined ? '' : `: ${reason.split('\n')[0]}`}`;
}

export function isSuccess(status: ExitStatus | null): boolean {
  return status !== null && status.code === 0;
}

type Findings = Pick<RunDocument, 'program' | 'status' | 'timedOut' | 'interrupted' | 'audit'> & {
  readonly check: WordCheck | null;
  readonly timeoutMs: number | null;
};

/** Everything that makes a run fail, one line each. */
export function findProblems(findings: Findings): string[] {
  const { program, status, timedOut, interrupted, audit, check, timeoutMs } = findings;
  const problems: string[] = [];
  if (interrupted) problems.push(`${program} was interrupted`);
  else if (timedOut) problems.push(`${program} did not end within ${(timeoutMs ?? 0) / 1000} s`);
  else if (!isSuccess(status)) {
    const place = status?.signal === undefined ? undefined : placeIn(status.stack);
    const at = place === undefined ? '' : ` (${place})`;
    problems.push(`${program} failed: ${describeStatus(status)}${at}`);
  }
  if (check?.agrees === false) {
    problems.push(`${program} counted ${check.words} words, wc -w counts ${check.wcWords}`);
  }
  const [first, ...others] = audit.violations;
  if (!audit.clean) {
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    problems.push(`the audit found: ${first ?? 'a violation'}${more}`);
  }
  return problems;
}
