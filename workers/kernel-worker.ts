/**
 * The kernel worker's entry: CPU 0. It alone does I/O, talks to the host, and ends processes; it
 * serves the CPU workers' syscalls by comlink and by trap.
 *
 * Started by `boot`; receives one KernelInit message.
 */
import { platform } from '#platform';
import {
  INJECT_WORKER,
  LOG_BOOT,
  attachCpu,
  attachMachine,
  condemnCpu,
  dmesgLines,
  injected,
  logEvent,
  prezero,
  reapCpu,
  setJiffies,
  startCpu,
  sweepSpaces,
} from '../kernel/index.ts';
import type { Cpu, ReclaimPolicy } from '../kernel/index.ts';
import { load } from '../shared/atomics.ts';
import * as CPU from '../shared/layout/cpu.ts';
import { DEDICATED_CPUS_MAX } from '../shared/limits.ts';
import { makeRandom } from '../shared/random.ts';
import type { CpuApi, HostApi, KernelInit } from '../shared/wire.ts';
import { AuditService } from './kernel/serve/audit-service.ts';
import { cpuService } from './kernel/serve/cpu-service.ts';
import { DeviceAccess } from './kernel/files/device-access.ts';
import { connect } from './wire/endpoint.ts';
import type { Connection } from './wire/endpoint.ts';
import { FileService } from './kernel/files/file-service.ts';
import { hostService } from './kernel/serve/host-service.ts';
import { inKernel } from './kernel/serve/in-kernel.ts';
import { KernelSyscalls } from './kernel/serve/kernel-syscalls.ts';
import { trapHandler } from './kernel/serve/kernel-traps.ts';
import { loadProtocol } from './boot/load-protocol.ts';
import { pagemap, procFile, reportMachine, reportProcess } from './kernel/serve/machine-report.ts';
import { loadReclaimPolicy } from './kernel/memory/load-reclaim.ts';
import { MemoryPressure } from './kernel/memory/memory-pressure.ts';
import { ObjectRegistry } from './kernel/files/object-registry.ts';
import { PageSupply } from './kernel/memory/page-supply.ts';
import { Pager } from './kernel/memory/pager.ts';
import { Pool } from './kernel/processes/pool.ts';
import { ProcessManager } from './kernel/processes/process-manager.ts';
import { HOST_PID } from './kernel/processes/process-table.ts';
import { Reclaimer } from './kernel/memory/reclaimer.ts';
import { Swapper } from './kernel/memory/swapper.ts';
import { UserPagers } from './kernel/files/user-pagers.ts';
import type { SwapStore } from './platform.ts';
import { TrapServer } from './wire/trap.ts';

/** Resolution of the machine's clock, and how soon a condemned CPU is noticed. */
const TICK_MS = 10;
/** Longest that a tick spends on zeroing frames ahead. */
const PREZERO_MS = 1;

class KernelWorker {
  readonly #init: KernelInit;
  readonly #cpu: Cpu;
  readonly #host: Connection<HostApi>;
  readonly #objects: ObjectRegistry;
  readonly #pool: Pool;
  readonly #processes: ProcessManager;
  readonly #syscalls: KernelSyscalls;
  readonly #traps: TrapServer;
  readonly #audits: AuditService;
  readonly #ready: Promise<void>;
  readonly #bootedMs = performance.now();

  readonly #pagers: UserPagers;
  readonly #reclaimer: Reclaimer;
  readonly #pressure = new MemoryPressure();
  readonly #random: (bound: number) => number;

  constructor(init: KernelInit, cpu: Cpu, policy: ReclaimPolicy, swap: SwapStore | null) {
    const { machine } = cpu;
    const log = (line: string): void => void this.#host.remote.print(0, line).catch(() => {});
    this.#init = init;
    this.#cpu = cpu;
    this.#random = makeRandom(init.seed);
    this.#objects = new ObjectRegistry(cpu, log);
    const swapper = swap === null ? null : new Swapper(cpu, swap, log);
    const kill = async (pid: number): Promise<void> => {
      await this.#processes.kill(HOST_PID, pid, 'SIGKILL');
    };
    this.#reclaimer = new Reclaimer({
      cpu,
      policy,
      swapper,
      writeBack: this.#objects.writeBack,
      pressure: this.#pressure,
      objects: () => this.#objects.blocks(),
      kill,
    });
    const supply = new PageSupply(cpu, this.#objects, swapper, this.#pressure, log);
    const pager = new Pager(cpu, supply, this.#reclaimer);
    const devices = new DeviceAccess(pager, this.#objects, log);
    this.#syscalls = new KernelSyscalls(
      cpu,
      supply,
      this.#reclaimer,
      this.#objects,
      (fd, bytes, pid) => this.#host.remote.output(pid, fd, bytes),
    );
    this.#traps = new TrapServer(
      machine.words,
      machine.cpuBase,
      trapHandler(this.#syscalls, pager, devices),
    );
    this.#pool = this.#createPool();
    this.#audits = new AuditService(cpu, this.#pool, this.#objects);
    this.#processes = new ProcessManager(
      cpu,
      this.#pool,
      (...facts) => reportProcess(cpu, ...facts),
      (pid) => this.#reclaimer.refill(pid),
    );
    this.#pagers = new UserPagers(cpu, this.#objects, this.#processes.locate);
    this.#host = this.#connectHost();
    this.#ready = this.#boot();
    // The host asks for it later, and hears of a failure then.
    this.#ready.catch(() => {});
  }

  async #boot(): Promise<void> {
    startCpu(this.#cpu);
    const { machine } = this.#cpu;
    const checked = machine.checked ? 1 : 0;
    inKernel(this.#cpu, () => logEvent(this.#cpu, LOG_BOOT, machine.frames, machine.cpus, checked));
    setInterval(() => this.#tick(), TICK_MS);
    await this.#objects.addAll(this.#init);
    await this.#pool.startAll();
  }

  #tick(): void {
    const { machine } = this.#cpu;
    setJiffies(machine, performance.now() - this.#bootedMs);
    this.#processes.balance();
    this.#reclaimer.tick();
    this.#prezero();
    if (injected(this.#cpu, INJECT_WORKER)) this.#killWorker();
    this.#objects.tick(performance.now());
    if (machine.flushPolicy === 'lazy') inKernel(this.#cpu, () => sweepSpaces(this.#cpu));
    for (const slot of this.#pool.live()) {
      if (this.#mode(slot.cpu) === CPU.MODE_DEAD) {
        this.#pool.end(slot, 'a shootdown waited too long for its acknowledgement');
      }
    }
  }

  /** Zeroes free frames for a millisecond at most. */
  #prezero(): void {
    const { prezeroFrames } = this.#init;
    const deadlineMs = performance.now() + PREZERO_MS;
    let zeroed = prezeroFrames;
    while (zeroed > 0 && performance.now() < deadlineMs) {
      zeroed = inKernel(this.#cpu, () => prezero(this.#cpu, prezeroFrames));
    }
  }

  /** An injected fault: some Worker dies, but none that the host's own programs run on. */
  #killWorker(): void {
    const spared = new Set(this.#processes.table.ofHost().map(({ cpu }) => cpu));
    const victims = this.#pool.live().filter(({ cpu }) => !spared.has(cpu));
    const slot = victims[this.#random(victims.length)];
    if (slot !== undefined) this.#pool.end(slot, 'killed on purpose (inject)');
  }

  #mode(cpu: number): number {
    const { machine, words } = this.#cpu;
    // ORDER: a momentary value; the exchange in condemnCpu decides.
    return load(words, machine.cpuBase + cpu * CPU.WORDS + CPU.MODE) & CPU.MODE_MASK;
  }

  #createPool(): Pool {
    return new Pool({
      cpus: this.#init.cpus,
      spares: DEDICATED_CPUS_MAX,
      start: (cpu, generation) => this.#host.remote.startCpu(cpu, generation),
      terminate: async (cpu, generation) => {
        await this.#processes.condemn(cpu);
        await this.#host.remote.endCpu(cpu, generation);
      },
      connect: (cpu, port) => this.#connectCpu(cpu, port),
      onDeath: (cpu, reason) => this.#cpuDied(cpu, reason),
    });
  }

  #connectCpu(cpu: number, port: MessagePort): Connection<CpuApi> {
    this.#traps.addCpu(cpu);
    const service = cpuService({
      syscalls: this.#syscalls,
      processes: this.#processes,
      files: new FileService(this.#cpu, this.#objects),
      pagers: this.#pagers,
      print: (pid, line) => void this.#host.remote.print(pid, line).catch(() => {}),
      attending: () => this.#audits.attending(cpu),
      panicked: (message) => this.#panicked(message),
    });
    return connect<CpuApi>(port, service, () => this.#traps.poll());
  }

  /** After a CPU's Worker is gone: ends its processes, takes back its frames. */
  #cpuDied(cpu: number, reason: string): void {
    this.#traps.removeCpu(cpu);
    this.#audits.attending(cpu);
    if (!condemnCpu(this.#cpu, cpu)) {
      this.#panicked(`CPU ${cpu} died in the kernel: ${reason}`);
      return;
    }
    this.#processes.cpuDied(cpu, reason);
    // One that never came up has nothing to take back.
    if (this.#mode(cpu) !== CPU.MODE_OFFLINE) inKernel(this.#cpu, () => reapCpu(this.#cpu, cpu));
  }

  #panicked(message: string): void {
    this.#host.remote.panicked(message).catch(() => {});
  }

  #connectHost(): Connection<HostApi> {
    const cpu = this.#cpu;
    const { table } = this.#processes;
    const service = hostService({
      ready: () => this.#ready,
      processes: this.#processes,
      objects: this.#objects,
      pool: this.#pool,
      procFile: (pid, name) => procFile(cpu, pid, name, table, this.#objects.names()),
      pagemap: (...range) => pagemap(cpu, ...range),
      stats: () => reportMachine(cpu, this.#init, table, this.#pressure.totalMs),
      dmesg: () => dmesgLines(cpu.machine),
      audit: () => this.#audits.run(),
    });
    return connect<HostApi>(this.#init.port, service);
  }
}

async function main(): Promise<void> {
  const init = (await platform.receiveInit()) as KernelInit;
  const machine = attachMachine(init.buffer, await loadProtocol(init.protocol));
  const policy = await loadReclaimPolicy(init.reclaim, makeRandom(init.seed));
  const swap = machine.swapSlots === 0 ? null : await platform.openSwap();
  new KernelWorker(init, attachCpu(machine, 0), policy, swap);
}

await main();
