/**
 * A CPU worker's entry: a CPU of the machine, on which processes run side by side, one at a time,
 * interleaved where they await.
 *
 * Started by the host on the kernel worker's behalf; receives one CpuInit message.
 */
import { platform } from '#platform';
import {
  LOG_CPU_UP,
  attachCpu,
  attachMachine,
  enterKernel,
  leaveKernel,
  leaveUserMode,
  logEvent,
  processOf,
  startCpu,
  startProcess,
} from '../kernel/index.ts';
import { add, load, wait } from '../shared/atomics.ts';
import * as BOOT from '../shared/layout/boot.ts';
import * as CPU from '../shared/layout/cpu.ts';
import type { Program } from './api/machine-api.ts';
import type { CpuApi, CpuInit, KernelCpuApi, WireStart } from '../shared/wire.ts';
import { useCompiled } from './compiled-kernel.ts';
import { CpuContext } from './cpu/runtime/cpu-context.ts';
import { ProcessAccount } from './cpu/runtime/process-account.ts';
import { lockIntrinsics } from './lock-intrinsics.ts';
import { connectOneWay } from './wire/endpoint.ts';
import { ProcessKilled } from './wire/errors.ts';
import { Garbage } from './garbage.ts';
import { loadProtocol } from './boot/load-protocol.ts';
import { ProcessRunner } from './cpu/runtime/process-runner.ts';
import { EndedCode } from './cpu/runtime/ended-code.ts';
import { ProgramTimers } from './cpu/runtime/program-timers.ts';
import { RunQueue } from './cpu/runtime/run-queue.ts';
import type { RunAccount } from './cpu/runtime/run-queue.ts';
import { StrayErrors } from './cpu/runtime/stray-errors.ts';
import { HeapReserve } from './cpu/memory/heap-reserve.ts';
import { ThreadMode } from './cpu/memory/thread-mode.ts';

/** How long a CPU called to an audit waits for it in the kernel. */
const ATTEND_MS = 200;

/** Waits in kernel mode for the audit, then passes the kernel entry that checks the TLB. */
function attend({ cpu, mode, kernel }: CpuContext): void {
  leaveUserMode(mode.user);
  enterKernel(cpu);
  kernel.attending().catch(() => {});
  const deadlineMs = performance.now() + ATTEND_MS;
  // ORDER: in kernel mode, so that the auditor waits until this CPU has parked.
  while (load(cpu.words, BOOT.STOP) === 0 && performance.now() < deadlineMs) {
    wait(cpu.words, BOOT.STOP, 0, 1);
  }
  leaveKernel(cpu);
  enterKernel(cpu);
  leaveKernel(cpu);
}

/** Starts a process when it is its turn, unless it has ended by then or runs on another CPU. */
function enqueue(
  context: CpuContext,
  order: WireStart,
  runners: Map<number, ProcessRunner>,
  garbage: Garbage,
): void {
  const { cpu, mode, queue, strays } = context;
  const { pid } = order;
  const account = new ProcessAccount(cpu, processOf(cpu.machine, pid));
  queue.add(account, () => {
    if (mode.inKernel(() => startProcess(cpu, pid)) !== 0) return;
    account.open();
    const begin = (start: WireStart, main: Program | null): void => {
      const runner = new ProcessRunner(context, start, account, {
        ended: () => {
          runners.delete(pid);
          garbage.processEnded();
        },
        replaced: begin,
      });
      runners.set(pid, runner);
      void strays.within(runner, () => runner.run(main));
    };
    begin(order, null);
  });
}

async function main(): Promise<void> {
  const init = (await platform.receiveInit()) as CpuInit;
  const cpu = attachCpu(attachMachine(init.memory, await loadProtocol(init.protocol)), init.cpu);
  useCompiled(cpu, init.kernel);
  const mode = new ThreadMode(cpu, platform.afterTurn);
  const runners = new Map<number, ProcessRunner>();
  const kernel = connectOneWay<KernelCpuApi>(init.port);
  const queue = new RunQueue(platform.afterTurn);
  const garbage = new Garbage(platform.collectGarbage, platform.afterTurn);
  const timers = new ProgramTimers<RunAccount>({
    running: () => queue.running,
    runs: (account) => queue.runs(account),
  });
  timers.install();
  const endedCode = new EndedCode({
    cpu,
    afterTurn: platform.afterTurn,
    report: (pid) => void kernel.remote.goesOn(pid).catch(() => {}),
  });
  queue.onSwitch = () => {
    endedCode.over();
    // ORDER: a hint for the kernel worker, which looks again and again.
    add(cpu.words, cpu.base + CPU.TURNS, 1);
  };
  const strays = new StrayErrors(runners, platform.owners, (message) => {
    kernel.remote.panicked(message).catch(() => {});
  });
  const context = new CpuContext({
    ...{ mode, init, kernel, queue, timers, endedCode, strays, runners },
    heap: new HeapReserve(platform.heap),
  });
  const api: CpuApi = {
    ready: () => {},
    start: (orders) => orders.forEach((order) => enqueue(context, order, runners, garbage)),
    kill: (pid, signal) => runners.get(pid)?.end({ signal }),
    signalled: (pid) => {
      const runner = runners.get(pid);
      if (runner !== undefined) strays.within(runner, () => runner.signalled());
    },
    servePage: async (pid, path, page) => {
      const runner = runners.get(pid);
      if (runner === undefined) throw new Error(`process ${pid} has ended`);
      return strays.within(runner, () => runner.pages.serve(path, page));
    },
    attend: () => attend(context),
  };
  kernel.serve(api);
  platform.onUnhandled((error) => strays.handle(error));
  platform.onExit((code) => {
    const process = strays.current();
    process?.fail(new Error(`process.exit(${String(code)}) was called, not proc.exit`));
    throw new ProcessKilled(process?.pid ?? 0, 'SIGABRT');
  });
  platform.mapSources();
  lockIntrinsics();
  startCpu(cpu);
  mode.inKernel(() => logEvent(cpu, LOG_CPU_UP, cpu.id, 0, 0));
}

// No top-level await: bundlers may make a classic script of this. The error ends the Worker.
main().catch((error: unknown) => {
  setTimeout(() => {
    throw error;
  });
});
