/**
 * A line of progress while a program runs, on stderr and only where that is a terminal. It looks
 * at the machine a few times a second and never delays the run.
 */
import type { Spinner } from 'yocto-spinner';
import type { MachineHandle } from '../workers/api/machine-api.ts';
import { formatCount } from './text-table.ts';

const intervalMs = 250;

export interface Progress {
  readonly stop: () => void;
}

export async function startProgress(label: string, machine: MachineHandle): Promise<Progress> {
  if (!process.stderr.isTTY) return { stop: () => {} };
  const { default: yoctoSpinner } = await import('yocto-spinner');
  const spinner = yoctoSpinner({ text: label, handleSignals: false }).start();
  let isAsking = false;
  const timer = setInterval(() => {
    if (isAsking) return;
    isAsking = true;
    // A machine that is shutting down does not answer; there will be no further look.
    void show(spinner, label, machine)
      .catch(() => {})
      .finally(() => (isAsking = false));
  }, intervalMs);
  return {
    stop: () => {
      clearInterval(timer);
      spinner.stop();
    },
  };
}

async function show(spinner: Spinner, label: string, machine: MachineHandle): Promise<void> {
  const { processes, framesUsed, framesTotal } = await machine.stats();
  const running = processes.filter(({ status }) => status === null).length;
  const faults = processes.reduce((sum, one) => sum + one.faultsMinor + one.faultsMajor, 0);
  const frames = `${formatCount(framesUsed)} of ${formatCount(framesTotal)} frames`;
  spinner.text = `${label}: ${running} running, ${formatCount(faults)} faults, ${frames}`;
}
