/** A machine that runs in the page: its handle, its memory to read, and what it has printed. */
import { boot } from 'faultline';
import type { ExitStatus, MachineHandle, ProcessHandle } from 'faultline';
import { DEFAULT_PROTOCOL, attachMachine, protocolNamed } from '../../kernel/index.ts';
import type { LockingProtocol, Machine } from '../../kernel/index.ts';
import { HandDriver } from '../hand/hand-driver.ts';
import { FrameOwners } from '../read/frame-owners.ts';
import type { BootSettings } from './link.ts';
import { RunControl } from './run-control.ts';
import { sampleText } from './sample-text.ts';

/** Lines kept; older ones are forgotten. */
const OUTPUT_MAX = 1000;

/** The file that programs of this machine may read. */
export const TEXT_FILE = 'text.txt';

/** The page takes no lock, so it does not matter which. */
const readingProtocol = protocolNamed(DEFAULT_PROTOCOL) as LockingProtocol;

export interface OutputLine {
  readonly pid: number;
  readonly text: string;
  readonly isError: boolean;
}

/** How a process ended, in one line. */
export function endText(status: ExitStatus): string {
  if (status.code !== undefined) return `exited with code ${status.code}`;
  const where = status.address === undefined ? '' : ` at 0x${status.address.toString(16)}`;
  const code = status.faultCode === undefined ? '' : ` (${status.faultCode})`;
  const reason = status.reason === undefined ? '' : `: ${status.reason}`;
  return `ended by ${status.signal}${code}${where}${reason}`;
}

export class Session {
  readonly settings: BootSettings;
  readonly handle: MachineHandle;
  /** Views of the machine's memory, for reading. */
  readonly machine: Machine;
  readonly owners: FrameOwners;
  readonly hand: HandDriver;
  readonly control: RunControl;
  readonly output: OutputLine[];
  /** Lines that were printed in all. */
  printed = 0;
  /** How long the machine took to boot, in milliseconds. */
  readonly bootMs: number;
  isStopped = false;
  #ended: ((name: string) => void) | null = null;
  /** The process that is driven by hand from the start; 0 until it has begun. */
  handPid = 0;

  private constructor(
    settings: BootSettings,
    handle: MachineHandle,
    output: OutputLine[],
    bootMs: number,
    onChange: () => void,
  ) {
    this.settings = settings;
    this.handle = handle;
    this.output = output;
    this.bootMs = bootMs;
    this.machine = attachMachine(handle.buffer, readingProtocol);
    this.owners = new FrameOwners(this.machine);
    this.control = new RunControl(handle, onChange);
    this.hand = new HandDriver(onChange);
  }

  /** Boots a machine; throws what `boot` throws. */
  static async start(settings: BootSettings, onChange: () => void): Promise<Session> {
    const startedMs = performance.now();
    const output: OutputLine[] = [];
    let session: Session | null = null;
    const handle = await boot({
      memory: settings.memory,
      swap: settings.swap,
      cpus: Number(settings.cpus),
      protocol: settings.protocol,
      shootdown: settings.shootdown as 'batched',
      faults: settings.faults as 'local',
      checked: settings.checked === 'yes',
      files: { [TEXT_FILE]: sampleText() },
      onPrint: (text, pid) => session?.say(pid, text),
      onOutput: (bytes, fd, pid) => session?.say(pid, new TextDecoder().decode(bytes), fd === 2),
    });
    session = new Session(settings, handle, output, performance.now() - startedMs, onChange);
    return session;
  }

  /** Adds a line to the output. */
  say(pid: number, text: string, isError = false): void {
    for (const line of text.replace(/\n$/, '').split('\n')) {
      this.output.push({ pid, text: line, isError });
      this.printed++;
    }
    if (this.output.length > OUTPUT_MAX) this.output.splice(0, this.output.length - OUTPUT_MAX);
  }

  /** Starts a program; its end is said among the output. */
  async run(module: string, name: string, args: readonly unknown[]): Promise<ProcessHandle> {
    const process = await this.handle.spawn(module, { name, args });
    const ended = (status: ExitStatus): void => {
      this.say(process.pid, `${name} ${endText(status)}`, status.code !== 0);
      if (status.code === 0) this.#ended?.(name);
    };
    process.wait().then(ended, () => {});
    return process;
  }

  /** Calls `listener` with the name of each program that ends with code 0. One listener. */
  onEnd(listener: (name: string) => void): void {
    this.#ended = listener;
  }

  /** Starts a process that is driven by hand. */
  async startHand(): Promise<void> {
    const { pid } = await this.run('./hand.js', 'hand', [this.hand.channelName]);
    if (this.handPid === 0) this.handPid = pid;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.control.run();
    this.hand.close();
    await this.handle.shutdown();
  }
}
