/**
 * The kernel worker's entry: CPU 0. It alone does I/O, talks to the host, and ends processes; it
 * serves the CPU workers' syscalls by comlink and by trap.
 *
 * Started by `boot`; receives one KernelInit message. It is built here from the bottom up:
 * memory, files, processes, and the services for the CPU workers and the host. Each part gets an
 * object of what it needs, all of which exists by then. The connections to the host and to the CPU
 * workers are opened last.
 */
import { platform } from '#platform';
import {
  LOG_BOOT,
  attachCpu,
  attachMachine,
  dmesgLines,
  holdInjections,
  logEvent,
  startCpu,
} from '../kernel/index.ts';
import type { Cpu, ReclaimPolicy } from '../kernel/index.ts';
import { DEDICATED_CPUS_MAX, RECLAIM_SCAN_PAGES } from '../shared/limits.ts';
import { makeRandom } from '../shared/random.ts';
import { OUT_OF_MEMORY } from '../shared/wire.ts';
import type { CpuApi, HostApi, KernelInit, WireProcFile } from '../shared/wire.ts';
import { useCompiled } from './compiled-kernel.ts';
import { loadProtocol } from './boot/load-protocol.ts';
import { DeviceAccess } from './kernel/files/device-access.ts';
import { FileService } from './kernel/files/file-service.ts';
import { ObjectRegistry } from './kernel/files/object-registry.ts';
import { UserPagers } from './kernel/files/user-pagers.ts';
import { inKernel } from './kernel/in-kernel.ts';
import { loadReclaimPolicy } from './kernel/memory/load-reclaim.ts';
import { MemoryPressure } from './kernel/memory/memory-pressure.ts';
import { fulfil } from './kernel/memory/page-request.ts';
import type { PageRequest } from './kernel/memory/page-request.ts';
import { PageSupply } from './kernel/memory/page-supply.ts';
import { Pager } from './kernel/memory/pager.ts';
import { Reclaimer } from './kernel/memory/reclaimer.ts';
import { Swapper } from './kernel/memory/swapper.ts';
import { cleanUpCpu, condemn } from './kernel/processes/cpu-end.ts';
import { Pool } from './kernel/processes/pool.ts';
import type { WorkerCare } from './kernel/processes/pool.ts';
import { ProcessManager } from './kernel/processes/process-manager.ts';
import type { Reporter } from './kernel/processes/process-manager.ts';
import { HOST_PID } from './kernel/processes/process-table.ts';
import { spawnWithReclaim } from './kernel/processes/spawn.ts';
import { WaitService } from './kernel/processes/wait-service.ts';
import { Watchdog } from './kernel/processes/watchdog.ts';
import { AuditService } from './kernel/serve/audit-service.ts';
import { withEndReasons } from './kernel/serve/end-reasons.ts';
import { cpuService, runStaged } from './kernel/serve/cpu-service.ts';
import { hostService } from './kernel/serve/host-service.ts';
import { pagemap, procFile, reportMachine, reportProcess } from './kernel/serve/machine-report.ts';
import { StagedCalls } from './kernel/serve/staged-calls.ts';
import { SyscallService } from './kernel/serve/syscall-service.ts';
import { Ticker } from './kernel/serve/ticker.ts';
import { trapHandler } from './kernel/serve/trap-handler.ts';
import { Turns } from './kernel/turns.ts';
import { Garbage } from './garbage.ts';
import { lockIntrinsics } from './lock-intrinsics.ts';
import type { SwapStore } from './platform.ts';
import { holdMachine } from './kernel/serve/hold.ts';
import { connect, connectOneWay } from './wire/endpoint.ts';
import type { OneWayConnection } from './wire/endpoint.ts';
import { TrapServer } from './wire/trap.ts';

/** What exists before the parts. */
interface Ground {
  readonly init: KernelInit;
  readonly cpu: Cpu;
  readonly host: OneWayConnection<HostApi>;
  readonly policy: ReclaimPolicy;
  readonly random: (bound: number) => number;
  readonly print: (pid: number, line: string) => void;
  readonly log: (line: string) => void;
}

interface Processes {
  readonly pool: Pool;
  readonly processes: ProcessManager;
  readonly watchdog: Watchdog;
}

interface Memory {
  readonly pressure: MemoryPressure;
  readonly reclaimer: Reclaimer;
  readonly pager: Pager;
  /** Gets what kernel code waits for on a process's behalf; kills no process. 0 or -errno. */
  readonly fulfil: (pid: number, request: PageRequest) => Promise<number>;
}

function makeProcesses({ init, cpu, host }: Ground): Processes {
  const pool = new Pool({
    cpus: init.cpus,
    spares: DEDICATED_CPUS_MAX,
    start: (id, generation) => host.remote.startCpu(id, generation),
    terminate: async (id, generation) => {
      await condemn(cpu, id);
      await host.remote.endCpu(id, generation);
    },
  });
  const report: Reporter = (...facts) => reportProcess(cpu, ...facts);
  const watchdog = new Watchdog({ cpu, pool });
  const replace = watchdog.replace.bind(watchdog);
  const garbage = new Garbage(platform.collectGarbage, platform.afterTurn);
  const onEnd = (): void => garbage.processEnded();
  const processes = new ProcessManager({ cpu, pool, report, replace, onEnd });
  return { pool, watchdog, processes };
}

/** `processes` exist already: when nothing else helps, memory is reclaimed by killing one. */
function makeMemory(
  ground: Ground & { readonly turns: Turns },
  objects: ObjectRegistry,
  processes: ProcessManager,
): Memory {
  const { cpu, policy, log, turns } = ground;
  const { writeBack } = objects;
  const pressure = new MemoryPressure();
  const openStore = (): Promise<SwapStore> => platform.openSwap();
  const swapper = cpu.machine.swapSlots === 0 ? null : new Swapper({ cpu, openStore, log });
  const reclaimer = new Reclaimer({
    cpu,
    policy,
    scanPages: RECLAIM_SCAN_PAGES,
    swapper,
    writeBack,
    pressure,
    objects: () => objects.blocks(),
    kill: async (pid) => void (await processes.kill(HOST_PID, pid, 'SIGKILL', OUT_OF_MEMORY)),
    pause: (ms) =>
      new Promise(
        (resolve) => void (ms > 0 ? setTimeout(resolve, ms) : platform.afterTurn(resolve)),
      ),
  });
  const supply = new PageSupply({
    cpu,
    sourceOf: (block) => objects.byBlock(block),
    versionOf: (block) => writeBack.version(block),
    checkHost: (block, now) =>
      now ? objects.changes.check(block) : objects.changes.checkOne(block),
    swapper,
    pressure,
    log,
  });
  return {
    pressure,
    reclaimer,
    pager: new Pager({ cpu, supply, reclaimer, turns }),
    fulfil: (pid, request) =>
      fulfil(request, { supply, turns, reclaim: () => reclaimer.directReclaim(pid) }),
  };
}

/** Builds the kernel worker and opens its connections. */
function startKernel(ground: Ground): void {
  const { init, cpu, host, print, log } = ground;
  const { pool, processes, watchdog } = makeProcesses(ground);
  const textOf = (pid: number, name: WireProcFile): string | number =>
    procFile(cpu, pid, name, processes.table, objects.names());
  const objects: ObjectRegistry = new ObjectRegistry(cpu, log, textOf);
  const turns = new Turns();
  const memory = makeMemory({ ...ground, turns }, objects, processes);
  const { pressure, reclaimer, pager, fulfil } = memory;
  processes.setFulfil(fulfil);

  const files = new FileService(cpu, objects);
  const pagers = new UserPagers({ cpu, objects, locate: (pid) => processes.locate(pid) });
  const devices = new DeviceAccess({
    objects,
    deviceAt: (pid, address, write) => pager.device(pid, address, write),
    log,
  });
  const syscalls = new SyscallService({
    ...{ cpu, objects, fulfil, turns, log },
    waits: new WaitService({ cpu, processes, fulfil }),
    output: (fd, bytes, pid) => host.remote.output(pid, fd, bytes),
  });
  const reclaim = (pid: number): Promise<boolean> => reclaimer.directReclaim(pid);
  const spawn = spawnWithReclaim({ processes, reclaim, settle: () => objects.settleMappings() });
  const staged = new StagedCalls(runStaged({ objects, processes, spawn, files }));
  const services = { syscalls, objects, processes, spawn, files, pagers, staged };
  const audits = new AuditService({ cpu, pool, objects, notes: () => watchdog.notes() });
  const handleTrap = trapHandler({ syscalls, pager, devices, staged });
  const traps = new TrapServer(cpu.machine.words, cpu.machine.cpuBase, handleTrap);
  const panicked = (message: string): void => void host.remote.panicked(message).catch(() => {});

  const care: WorkerCare = {
    connect: (id, port) => {
      const attending = (): void => audits.attending(id);
      const goesOn = (pid: number): void => watchdog.callsOn(id, pid);
      const parts = { ...services, print, attending, goesOn, panicked };
      traps.addCpu(id);
      return connect<CpuApi>(port, cpuService(parts), () => traps.poll());
    },
    cleanUp: (...facts) => cleanUpCpu({ cpu, traps, audits, processes, panicked }, ...facts),
  };
  const { prezeroFrames } = init;
  const ticker = new Ticker({
    ...ground,
    ...{ pool, processes, watchdog, objects, reclaimer, prezeroFrames },
  });
  const ready = bringUp(cpu, ticker, async () => {
    await objects.addAll(init);
    await pool.startAll(care);
    holdInjections(cpu, false);
  });
  // The host asks for it later, and hears of a failure then.
  ready.catch(() => {});
  const { table } = processes;
  host.serve(
    hostService({
      ready: () => ready,
      ...{ processes, spawn, objects, pool },
      procFile: textOf,
      pagemap: (...range) => pagemap(cpu, ...range),
      stats: () => reportMachine(cpu, init, table, pressure.totalMs),
      dmesg: () => withEndReasons(dmesgLines(cpu.machine), table),
      audit: () => audits.run(),
      hold: (gate) => holdMachine(cpu, gate),
    }),
  );
}

/** Starts CPU 0 and its clock; then the files and the CPU workers are brought up. */
async function bringUp(cpu: Cpu, ticker: Ticker, rest: () => Promise<void>): Promise<void> {
  holdInjections(cpu, true);
  startCpu(cpu);
  const { frames, cpus, checked } = cpu.machine;
  inKernel(cpu, () => logEvent(cpu, LOG_BOOT, frames, cpus, checked ? 1 : 0));
  ticker.start();
  await rest();
}

async function main(): Promise<void> {
  const init = (await platform.receiveInit()) as KernelInit;
  lockIntrinsics();
  const machine = attachMachine(init.memory, await loadProtocol(init.protocol));
  const policy = await loadReclaimPolicy(init.reclaim, makeRandom(init.seed));
  const host = connectOneWay<HostApi>(init.port);
  const print = (pid: number, line: string): void =>
    void host.remote.print(pid, line).catch(() => {});
  const cpu = attachCpu(machine, 0);
  useCompiled(cpu, init.kernel);
  startKernel({
    init,
    cpu,
    host,
    policy,
    random: makeRandom(init.seed),
    print,
    log: (line) => print(0, line),
  });
}

// No top-level await: bundlers may make a classic script of this. The error ends the Worker.
main().catch((error: unknown) => {
  setTimeout(() => {
    throw error;
  });
});
