/** Goal: what sending a signal comes to, by action, mask and number, is what Linux does. */
import { describe, expect, it } from 'vitest';
import { audit } from '../../kernel/audit/audit.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess } from '../../kernel/lifecycle/exit.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { startProcess, withholdProcess } from '../../kernel/processes/process.ts';
import { hasSignal, pendingSignal } from '../../kernel/mmu/poll.ts';
import * as K from '../../kernel/processes/signals.ts';
import { sysGetpriority, sysSetpriority } from '../../kernel/syscalls/priority.ts';
import { EINVAL, ESRCH } from '../../shared/abi/errno.ts';
import * as S from '../../shared/abi/signals.ts';
import { testMachine, testProcess } from '../support/kernel-helpers.ts';

function newKernel() {
  const machine = testMachine();
  return { cpu: machine.cpu, ...testProcess(machine) };
}

describe('a signal', () => {
  it('ends the process by default, but SIGCHLD does nothing', () => {
    const { cpu, proc, pid } = newKernel();
    expect(K.sendSignal(cpu, pid, S.SIGCHLD, 0)).toBe(K.SIGNAL_IGNORED);
    expect(hasSignal(cpu, proc)).toBe(false);
    for (const signal of [S.SIGUSR1, S.SIGUSR2, S.SIGTERM, S.SIGKILL]) {
      expect(K.sendSignal(cpu, pid, signal, 0)).toBe(K.SIGNAL_FATAL);
      expect(pendingSignal(cpu, proc)).toBe(signal);
    }
    expect(K.takeSignal(cpu, proc)).toBe(0);
  });

  it('waits to be taken where it is caught, lowest number first, one of each', () => {
    const { cpu, proc, pid } = newKernel();
    for (const signal of [S.SIGUSR1, S.SIGUSR2, S.SIGCHLD]) {
      K.setAction(cpu, proc, signal, K.ACTION_CATCH);
    }
    const sent = [S.SIGCHLD, S.SIGUSR2, S.SIGUSR1, S.SIGUSR2].map((signal, sender) =>
      K.sendSignal(cpu, pid, signal, sender + 7),
    );
    expect(new Set(sent)).toEqual(new Set([K.SIGNAL_PENDING]));
    expect(hasSignal(cpu, proc)).toBe(true);
    const taken = [0, 0, 0, 0].map(() => K.takeSignal(cpu, proc));
    expect(taken).toEqual([S.SIGUSR1, S.SIGUSR2, S.SIGCHLD, 0]);
    expect(K.signalSender(cpu, proc, S.SIGUSR2)).toBe(10);
    expect(pendingSignal(cpu, proc)).toBe(0);
  });

  it('stays pending while it is blocked, whatever its action; SIGKILL cannot be', () => {
    const { cpu, proc, pid } = newKernel();
    const mask = S.signalBit(S.SIGTERM) | S.signalBit(S.SIGUSR1) | S.signalBit(S.SIGKILL);
    expect(K.setMask(cpu, proc, mask)).toBe(0);
    expect(K.maskOf(cpu, proc)).toBe(mask & ~S.signalBit(S.SIGKILL));
    K.setAction(cpu, proc, S.SIGUSR1, K.ACTION_IGNORE);
    expect(K.sendSignal(cpu, pid, S.SIGTERM, 0)).toBe(K.SIGNAL_PENDING);
    expect(K.sendSignal(cpu, pid, S.SIGUSR1, 0)).toBe(K.SIGNAL_PENDING);
    expect(hasSignal(cpu, proc)).toBe(false);
    expect(K.takeSignal(cpu, proc)).toBe(0);
    expect(K.setMask(cpu, proc, 0)).toBe(mask & ~S.signalBit(S.SIGKILL));
    expect([K.takeSignal(cpu, proc), K.takeSignal(cpu, proc)]).toEqual([S.SIGUSR1, S.SIGTERM]);
    K.setMask(cpu, proc, -1);
    expect(K.sendSignal(cpu, pid, S.SIGKILL, 0)).toBe(K.SIGNAL_FATAL);
  });

  it('is dropped when it becomes ignored', () => {
    const { cpu, proc, pid } = newKernel();
    K.setAction(cpu, proc, S.SIGUSR1, K.ACTION_CATCH);
    K.setAction(cpu, proc, S.SIGCHLD, K.ACTION_CATCH);
    K.sendSignal(cpu, pid, S.SIGUSR1, 0);
    K.sendSignal(cpu, pid, S.SIGCHLD, 0);
    K.setAction(cpu, proc, S.SIGUSR1, K.ACTION_IGNORE);
    K.setAction(cpu, proc, S.SIGCHLD, K.ACTION_DEFAULT);
    expect(K.pendingSet(cpu, proc)).toBe(0);
    expect(K.sendSignal(cpu, pid, S.SIGUSR1, 0)).toBe(K.SIGNAL_IGNORED);
    expect([S.SIGUSR1, S.SIGCHLD, S.SIGUSR2].map((n) => K.actionOf(cpu, proc, n))).toEqual([
      K.ACTION_IGNORE,
      K.ACTION_DEFAULT,
      K.ACTION_DEFAULT,
    ]);
  });

  it('does not reach a zombie, and there must be a process', () => {
    const { cpu, pid } = newKernel();
    exitProcess(cpu, pid, 0, 0, 0);
    expect(K.sendSignal(cpu, pid, S.SIGKILL, 0)).toBe(K.SIGNAL_IGNORED);
    expect(K.sendSignal(cpu, pid + 1, S.SIGKILL, 0)).toBe(-ESRCH);
  });

  it('is blocked and ignored by a child as by its parent, but not caught or pending', () => {
    const { cpu, proc, pid } = newKernel();
    K.setMask(cpu, proc, S.signalBit(S.SIGTERM));
    K.setAction(cpu, proc, S.SIGUSR1, K.ACTION_IGNORE);
    K.setAction(cpu, proc, S.SIGUSR2, K.ACTION_CATCH);
    K.sendSignal(cpu, pid, S.SIGTERM, 0);
    const child = processOf(cpu.machine, createProcess(cpu, { name: 'c', parent: pid }));
    expect(K.maskOf(cpu, child)).toBe(S.signalBit(S.SIGTERM));
    expect([S.SIGUSR1, S.SIGUSR2].map((n) => K.actionOf(cpu, child, n))).toEqual([
      K.ACTION_IGNORE,
      K.ACTION_DEFAULT,
    ]);
    expect(K.pendingSet(cpu, child)).toBe(0);
  });
});

describe('a new process', () => {
  it('is started by one CPU only, or by none', () => {
    const { cpu, pid } = newKernel();
    const [first, second] = [1, 2].map((id) => ({ ...cpu, id }));
    const taken = createProcess(cpu, { name: 'a', parent: pid });
    expect(startProcess(first!, taken)).toBe(0);
    expect(startProcess(second!, taken)).toBe(-ESRCH);
    expect(withholdProcess(cpu, taken)).toBe(false);
    const withheld = createProcess(cpu, { name: 'b', parent: pid });
    expect(withholdProcess(cpu, withheld)).toBe(true);
    expect(startProcess(first!, withheld)).toBe(-ESRCH);
  });

  it('has a stack with a guard page when it asks for one, which goes with it', () => {
    const { cpu, pid } = newKernel();
    const before = audit(cpu).checked['areas'] ?? 0;
    const thread = createProcess(cpu, { name: 't', parent: pid, thread: true, stackBytes: 5000 });
    expect((audit(cpu).checked['areas'] ?? 0) - before).toBe(2);
    exitProcess(cpu, thread, 0, 0, 0);
    const { checked, violations } = audit(cpu);
    expect([violations, (checked['areas'] ?? 0) - before]).toEqual([[], 0]);
    const absurd = { name: 't', parent: pid, thread: true, stackBytes: -1 };
    expect(createProcess(cpu, absurd)).toBe(-EINVAL);
  });

  it('has the nice value of its parent', () => {
    const { cpu, proc, pid } = newKernel();
    expect(sysGetpriority(cpu, proc, 0, 0)).toBe(20);
    expect(sysSetpriority(cpu, proc, 0, pid, 99)).toBe(0);
    const child = createProcess(cpu, { name: 'c', parent: pid });
    expect(sysGetpriority(cpu, proc, 0, child)).toBe(1);
    expect(sysSetpriority(cpu, proc, 0, child, -20)).toBe(0);
    expect(sysGetpriority(cpu, proc, 0, child)).toBe(40);
    expect(sysGetpriority(cpu, proc, 0, 0)).toBe(1);
    expect(sysGetpriority(cpu, proc, 1, 0)).toBe(-EINVAL);
    expect(sysSetpriority(cpu, proc, 0, 0, 0.5)).toBe(-EINVAL);
    expect(sysSetpriority(cpu, proc, 0, 4000, 1)).toBe(-ESRCH);
  });
});
