/** The machines on which the table is measured; they live through all repetitions. */
import { boot } from '../../../workers/index.ts';
import type { BootOptions, MachineHandle } from '../../../workers/index.ts';
import { pinThread } from '../host.ts';
import type { ProgramFigures } from './bench-program.ts';

export const PROGRAM: URL = new URL('./bench-program.js', import.meta.url);

/** A machine and what its programs print. */
export class Testbed {
  readonly machine: MachineHandle;
  /** Whether every program's thread was kept on one host CPU. */
  pinned: boolean;
  readonly #lines: string[];
  readonly #hostCpus: readonly number[];

  private constructor(machine: MachineHandle, lines: string[], hostCpus: readonly number[]) {
    this.machine = machine;
    this.pinned = hostCpus.length > 0;
    this.#lines = lines;
    this.#hostCpus = hostCpus;
  }

  static async boot(options: BootOptions, hostCpus: readonly number[]): Promise<Testbed> {
    const lines: string[] = [];
    const onPrint = (line: string): void => void lines.push(line);
    const machine = await boot({ memory: '128MiB', protocol: 'rcu', ...options, onPrint });
    return new Testbed(machine, lines, hostCpus);
  }

  /** Runs the program for one group of figures; `dedicated` in a Worker that has run nothing. */
  async figures<Group extends keyof ProgramFigures>(
    group: Group,
    dedicated: boolean = false,
  ): Promise<ProgramFigures[Group]> {
    const args = [group, this.#hostCpus];
    const handle = await this.machine.spawn(PROGRAM, { args, dedicated });
    const status = await handle.wait();
    const line = this.#lines.splice(0).at(-1);
    if (status.code !== 0 || line === undefined) {
      throw new Error(`the figures '${group}' ended with ${JSON.stringify(status)}`);
    }
    const printed = JSON.parse(line) as { figures: ProgramFigures[Group]; pinned: boolean };
    this.pinned &&= printed.pinned;
    return printed.figures;
  }

  /** Violations; ends the machine. */
  async close(): Promise<readonly string[]> {
    const { violations } = await this.machine.audit();
    await this.machine.shutdown();
    return violations;
  }
}

export interface Testbeds {
  readonly single: Testbed;
  /** Faults go to the kernel worker. */
  readonly pager: Testbed;
  /** Zeroes free frames ahead. */
  readonly zeroing: Testbed;
  readonly pair: Testbed;
}

/** `hostCpus`: those that threads may be pinned to; empty for none. */
export async function bootTestbeds(hostCpus: readonly number[]): Promise<Testbeds> {
  // From the last one down: hosts handle interrupts on the first, and the second is for peers.
  const cpus = [...hostCpus].reverse().slice(0, 2);
  // Kernel workers of machines with one CPU are where the floors' peers are.
  pinThread(cpus[1] ?? null);
  const single = await Testbed.boot({ cpus: 1 }, cpus);
  const pager = await Testbed.boot({ cpus: 1, faults: 'remote' }, cpus);
  const zeroing = await Testbed.boot({ cpus: 1, prezero: '16MiB' }, cpus);
  if (hostCpus.length > 0) pinThread(hostCpus);
  return { single, pager, zeroing, pair: await Testbed.boot({ cpus: 2 }, cpus) };
}
