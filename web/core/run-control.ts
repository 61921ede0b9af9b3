/**
 * Pause, step and slow motion. CPUs are real threads: the page can only let all of them run for a
 * moment and stop them again, so a step is a length of time and not an instruction.
 */
import type { MachineHandle } from 'faultline';

export type RunMode = 'running' | 'paused' | 'slow';

/** What a step lets the machine do, in milliseconds. */
export const STEP_MS = 2;
/** Slow motion: runs for STEP_MS, then stands still for this long. */
export const STILL_MS = 120;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class RunControl {
  readonly #handle: MachineHandle;
  readonly #onChange: () => void;
  #mode: RunMode = 'running';

  constructor(handle: MachineHandle, onChange: () => void) {
    this.#handle = handle;
    this.#onChange = onChange;
  }

  get mode(): RunMode {
    return this.#mode;
  }

  run(): void {
    this.#set('running');
    this.#handle.resume();
  }

  async pause(): Promise<void> {
    this.#set('paused');
    await this.#handle.pause();
  }

  /** Lets the machine run for STEP_MS; it is paused before and after. */
  async step(): Promise<void> {
    if (this.#mode !== 'paused') return this.pause();
    this.#handle.resume();
    await sleep(STEP_MS);
    await this.#handle.pause();
    this.#onChange();
  }

  async slow(): Promise<void> {
    if (this.#isSlow()) return;
    this.#set('slow');
    while (this.#isSlow()) {
      this.#handle.resume();
      await sleep(STEP_MS);
      if (!this.#isSlow()) return;
      await this.#handle.pause();
      await sleep(STILL_MS);
    }
  }

  #isSlow(): boolean {
    return this.#mode === 'slow';
  }

  #set(mode: RunMode): void {
    this.#mode = mode;
    this.#onChange();
  }
}
