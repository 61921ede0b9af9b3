/**
 * The host's half of a machine: only the host can start Workers, in a browser and on Node alike, so
 * it starts them on the kernel worker's behalf.
 *
 * Guarantees: when the kernel worker dies, or finds the machine broken, every pending and later
 * call of the host rejects with the cause, and all Workers are terminated. After `stop` nothing of
 * the machine keeps the host's process alive; before, only pending calls of the host do.
 */
import { startWorker } from '#start-worker';
import { KernelPanic } from '../../shared/panic.ts';
import type {
  CpuInit,
  HostApi,
  KernelHostApi,
  KernelInit,
  WireMachine,
} from '../../shared/wire.ts';
import type { AuditReport, MachineReport } from '../api/machine-api.ts';
import { connect, movedPort } from '../wire/endpoint.ts';
import type { Connection } from '../wire/endpoint.ts';
import { MachineStopped } from '../wire/errors.ts';
import type { WorkerHandle } from '../worker-starter.ts';

export type KernelApi = KernelHostApi<MachineReport, AuditReport>;

interface CpuWorker {
  readonly generation: number;
  readonly handle: WorkerHandle;
}

/** Where what programs print and write goes. */
export interface HostSinks {
  readonly onPrint: (line: string, pid: number) => void;
  readonly onOutput: (bytes: Uint8Array, fd: number, pid: number) => void | Promise<void>;
}

export class WorkerHost {
  readonly kernel: Connection<KernelApi>;
  readonly #machine: WireMachine;
  readonly #onPrint: HostSinks['onPrint'];
  readonly #onOutput: HostSinks['onOutput'];
  readonly #kernelWorker: WorkerHandle;
  readonly #cpuWorkers = new Map<number, CpuWorker>();
  #stopped: Promise<unknown> | null = null;

  constructor(init: Omit<KernelInit, 'port'>, { onPrint, onOutput }: HostSinks) {
    const { memory, kernel, protocol, faults, seed } = init;
    this.#machine = { memory, kernel, protocol, faults, seed };
    this.#onPrint = onPrint;
    this.#onOutput = onOutput;
    const { port1, port2 } = new MessageChannel();
    this.kernel = connect<KernelApi>(port1, this.#hostApi());
    this.kernel.holdOnlyWhilePending();
    this.#kernelWorker = startWorker('kernel', (reason) => {
      void this.stop(new MachineStopped(`the kernel worker has died: ${reason}`));
    });
    this.#kernelWorker.init({ ...init, port: port2 } satisfies KernelInit, [port2]);
  }

  /** Terminates all Workers; calls reject with `reason` from now on. */
  async stop(reason: Error): Promise<void> {
    this.#stopped ??= this.#terminateAll(reason);
    await this.#stopped;
  }

  #terminateAll(reason: Error): Promise<unknown> {
    this.kernel.close(reason);
    const handles = [...this.#cpuWorkers.values()].map(({ handle }) => handle);
    this.#cpuWorkers.clear();
    return Promise.all([this.#kernelWorker, ...handles].map((handle) => handle.terminate()));
  }

  #hostApi(): HostApi {
    return {
      startCpu: (cpu, generation) => this.#startCpu(cpu, generation),
      endCpu: (cpu, generation) => this.#endCpu(cpu, generation),
      print: (pid, line) => this.#print(pid, line),
      output: async (pid, fd, bytes) => this.#onOutput(bytes, fd, pid),
      panicked: (message) => void this.stop(new KernelPanic(message)),
    };
  }

  #print(pid: number, line: string): void {
    try {
      this.#onPrint(line, pid);
    } catch (error) {
      // The host's own mistake: report it on the host's thread, not in an answer to the kernel.
      setTimeout(() => {
        throw error;
      });
    }
  }

  #startCpu(cpu: number, generation: number): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const handle = startWorker('cpu', (reason) => this.#onDeath(cpu, generation, reason));
    this.#cpuWorkers.set(cpu, { generation, handle });
    handle.init({ ...this.#machine, cpu, port: port2 } satisfies CpuInit, [port2]);
    return movedPort(port1);
  }

  async #endCpu(cpu: number, generation: number): Promise<void> {
    const worker = this.#cpuWorkers.get(cpu);
    if (worker?.generation === generation) await worker.handle.terminate();
  }

  #onDeath(cpu: number, generation: number, reason: string): void {
    if (this.#stopped !== null) return;
    if (this.#cpuWorkers.get(cpu)?.generation === generation) this.#cpuWorkers.delete(cpu);
    // Rejects only when the machine has stopped meanwhile; then it no longer matters.
    this.kernel.remote.cpuDied(cpu, generation, reason).catch(() => {});
  }
}
