/**
 * A pause on the host's request. The kernel worker stops all CPUs as for an audit, and then sleeps
 * itself: the host's other calls wait in its event loop.
 */
import { resumeMachine, stopMachine } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { compareExchange, load, wait } from '../../../shared/atomics.ts';
import { inKernel } from '../in-kernel.ts';
import { PAUSE_ASKED, PAUSE_HELD } from '../../wire/pause.ts';
import type { PauseGate } from '../../wire/pause.ts';

/** The host notifies; this is for a host that has died. */
const SLICE_MS = 100;

/** Returns when the pause is over. */
export function holdMachine(cpu: Cpu, gate: PauseGate): void {
  inKernel(cpu, () => {
    stopMachine(cpu);
    // ORDER: publishes the stopped machine, unless the host has given the pause up.
    compareExchange(gate, 0, PAUSE_ASKED, PAUSE_HELD);
    // ORDER: `wait` compares, so an end between the load and the sleep is not missed.
    while (load(gate, 0) === PAUSE_HELD) wait(gate, 0, PAUSE_HELD, SLICE_MS);
    resumeMachine(cpu);
  });
}
