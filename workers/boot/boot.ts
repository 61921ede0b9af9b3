/**
 * `boot`: makes a machine and hands out the handle by which a host program drives it.
 */
import { platform } from '#platform';
import { formatMachine, machineBytes } from '../../kernel/index.ts';
import type { FormatOptions, Machine as FormattedMachine } from '../../kernel/index.ts';
import { checkInteger } from '../../shared/addr/addr.ts';
import { PAGEMAP_PAGES_MAX, PAGE_SIZE, USER_PAGES } from '../../shared/limits.ts';
import type { WireStatus } from '../../shared/wire.ts';
import type {
  AuditReport,
  BootOptions,
  ExitStatus,
  FileSource,
  HostSpawnOptions,
  MachineHandle,
  MachineReport,
  ProcessHandle,
  SignalName,
  WaitOptions,
} from '../api/machine-api.ts';
import { checkOptions, cpuBlocks, wireFile } from './boot-options.ts';
import { checkKinds, checkModule } from './check-options.ts';
import type { OptionKind } from './check-options.ts';
import { MachineStopped, SyscallError } from '../wire/errors.ts';
import { loadProtocol } from './load-protocol.ts';
import { Pause } from './pause.ts';
import { compiledKernel, newMemory } from './machine-memory.ts';
import { spawnKinds, spawnRequest } from './spawn-request.ts';
import { checkTimeout, until } from './until.ts';
import { WorkerHost } from './worker-host.ts';

const hostSpawnKinds: Readonly<Record<keyof HostSpawnOptions, OptionKind>> = {
  ...spawnKinds,
  signal: 'signal',
};
const waitKinds: Readonly<Record<keyof WaitOptions, OptionKind>> = {
  timeout: 'any',
  signal: 'signal',
};

/** How long `shutdown` waits for an orderly end before it terminates everything. */
const SHUTDOWN_MS = 5000;

/**
 * Formats a machine and starts its Workers. Resolves when all CPUs run.
 * Throws RangeError or TypeError for a bad option, SyscallError for a file that cannot be opened,
 * MachineStopped when a Worker does not start, which names the script, and the reason of `signal`.
 */
export async function boot(options: BootOptions = {}): Promise<MachineHandle> {
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new Error(
      'boot: SharedArrayBuffer is missing: serve the page and its Workers with the headers ' +
        'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
    );
  }
  const { frames, swapSlots, injections, checked, shootdown, capabilities, ...rest } =
    checkOptions(options);
  const { onPrint, onOutput, ...machine } = rest;
  const protocol = await loadProtocol(machine.protocol);
  const isCompiled = options.compiled ?? platform.compilesByDefault;
  const kernel = isCompiled ? await compiledKernel() : null;
  options.signal?.throwIfAborted();
  const made = format(kernel !== null, {
    frames,
    cpus: cpuBlocks(machine.cpus),
    checked,
    protocol,
    flushPolicy: shootdown,
    swapSlots,
    injections,
    capabilities,
    seed: machine.seed,
  });
  const memory = made.memory ?? made.buffer;
  const host = new WorkerHost({ ...machine, memory, kernel }, { onPrint, onOutput });
  try {
    await until(host.kernel.remote.ready(), { signal: options.signal }, 'boot: not ready');
  } catch (error) {
    await host.stop(new MachineStopped('the machine did not start'));
    throw error;
  }
  return new Machine(made.buffer, host);
}

/** Formats a machine. Throws RangeError when the host has no memory for it. */
function format(forCompiled: boolean, spec: FormatOptions): FormattedMachine {
  const { frames, cpus, swapSlots = 0 } = spec;
  const memory = forCompiled ? newMemory(machineBytes({ frames, cpus, swapSlots })) : null;
  try {
    return formatMachine(memory === null ? spec : { ...spec, memory });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const mib = (spec.frames * PAGE_SIZE) / 2 ** 20;
    throw new RangeError(
      `boot: the host cannot allocate a machine of ${mib} MiB (${error.message}): ` +
        'give it less memory, or raise the limit (ulimit -v)',
      { cause: error },
    );
  }
}

class Machine implements MachineHandle {
  readonly buffer: SharedArrayBuffer;
  readonly #host: WorkerHost;
  #pause: Pause | null = null;

  constructor(buffer: SharedArrayBuffer, host: WorkerHost) {
    this.buffer = buffer;
    this.#host = host;
  }

  async spawn(module: URL | string, options: HostSpawnOptions = {}): Promise<ProcessHandle> {
    checkModule('spawn: module', module);
    checkKinds('spawn', options, hostSpawnKinds);
    const { signal, ...wireOptions } = options;
    const request = spawnRequest(platform.resolveModule(String(module)), wireOptions);
    signal?.throwIfAborted();
    const started = this.#kernel
      .spawn(request)
      .then((result) => new Process(checkResult('spawn', result), this.#host));
    if (signal === undefined) return started;
    started.then((process) => process.killOn(signal)).catch(() => {});
    return until(started, { signal }, 'spawn: not started');
  }

  async addFile(name: string, source: FileSource): Promise<void> {
    await this.#kernel.addFile(name, wireFile(name, source));
  }

  async maps(pid: number): Promise<string> {
    return checkText('maps', await this.#kernel.procFile(pid, 'maps'));
  }

  async smaps(pid: number): Promise<string> {
    return checkText('smaps', await this.#kernel.procFile(pid, 'smaps'));
  }

  async status(pid: number): Promise<string> {
    return checkText('status', await this.#kernel.procFile(pid, 'status'));
  }

  async statm(pid: number): Promise<string> {
    return checkText('statm', await this.#kernel.procFile(pid, 'statm'));
  }

  async pagemap(pid: number, address: number, pages: number): Promise<BigUint64Array> {
    const first = address / PAGE_SIZE;
    checkInteger('the page of an address', first, 0, USER_PAGES - 1);
    checkInteger('a number of pages', pages, 0, Math.min(PAGEMAP_PAGES_MAX, USER_PAGES - first));
    const entries = await this.#kernel.pagemap(pid, first, pages);
    if (typeof entries === 'number') throw new SyscallError('pagemap', -entries);
    return entries;
  }

  stats(): Promise<MachineReport> {
    return this.#kernel.stats();
  }

  dmesg(): Promise<string[]> {
    return this.#kernel.dmesg();
  }

  audit(): Promise<AuditReport> {
    return this.#kernel.audit();
  }

  pause(): Promise<void> {
    this.#pause ??= new Pause((gate) => this.#kernel.hold(gate));
    return this.#pause.begun;
  }

  resume(): void {
    this.#pause?.end();
    this.#pause = null;
  }

  async shutdown(): Promise<void> {
    this.resume();
    const timeout = setTimeout(() => void this.#host.stop(shutDown()), SHUTDOWN_MS);
    try {
      await this.#kernel.shutdown();
    } catch {
      // Stopped already, by an earlier shutdown, a panic or the timeout: nothing is left to do.
    } finally {
      clearTimeout(timeout);
    }
    await this.#host.stop(shutDown());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  get #kernel(): WorkerHost['kernel']['remote'] {
    return this.#host.kernel.remote;
  }
}

class Process implements ProcessHandle {
  readonly pid: number;
  readonly #host: WorkerHost;
  readonly #status: Promise<WireStatus>;

  constructor(pid: number, host: WorkerHost) {
    this.pid = pid;
    this.#host = host;
    // Asked for now, so that the kernel worker need not remember it for ever.
    this.#status = host.kernel.remote.status(pid);
    this.#status.catch(() => {});
  }

  /** From now on the process is killed when `signal` aborts. */
  killOn(signal: AbortSignal): void {
    // It may have ended by itself meanwhile, and so may the machine.
    const kill = (): void => void this.kill().catch(() => {});
    if (signal.aborted) return kill();
    signal.addEventListener('abort', kill, { once: true });
    const forget = (): void => signal.removeEventListener('abort', kill);
    this.#status.then(forget, forget);
  }

  async wait(options: WaitOptions = {}): Promise<ExitStatus> {
    checkKinds('wait', options, waitKinds);
    checkTimeout('wait', options.timeout);
    return until(this.#status, options, `process ${this.pid} has not ended`);
  }

  async kill(signal: SignalName = 'SIGKILL'): Promise<void> {
    checkResult('kill', await this.#host.kernel.remote.kill(this.pid, signal));
  }
}

function shutDown(): MachineStopped {
  return new MachineStopped('the machine has been shut down');
}

function checkResult(syscall: string, result: number): number {
  if (result < 0) throw new SyscallError(syscall, -result);
  return result;
}

function checkText(what: string, result: string | number): string {
  if (typeof result === 'number') throw new SyscallError(what, -result);
  return result;
}
