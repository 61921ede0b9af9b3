/** How long a signal may take from a child's death to us. */
const SIGNAL_MS = 50;

/** Whatever is measured once in each repetition. */
export interface Source<Figures> {
  readonly name: string;
  measure(repetition: number): Figures | Promise<Figures>;
}

export interface TurnOptions {
  /** Repetitions 1 to this one count; repetition 0 warms up and is thrown away. */
  readonly repeat: number;
  /** The order of the sources in the next repetition; in sequence without it. */
  readonly nextOrder?: () => readonly number[];
  readonly onTurn?: (source: string, repetition: number) => void;
  /** Ends it early when it is aborted; a repetition that is not complete is thrown away. */
  readonly signal?: AbortSignal;
}

/**
 * Measures all sources once in each repetition, one after the other, so that a slow moment of the
 * host hits all of them. What each repetition found, by the sources' positions.
 */
export async function measureInTurns<Figures>(
  sources: readonly Source<Figures>[],
  { repeat, nextOrder, onTurn, signal }: TurnOptions,
): Promise<Figures[][]> {
  const repetitions: Figures[][] = [];
  for (let repetition = 0; repetition <= repeat; repetition++) {
    const figures: Figures[] = [];
    for (const index of nextOrder?.() ?? sources.keys()) {
      const source = sources[index] as Source<Figures>;
      onTurn?.(source.name, repetition);
      try {
        figures[index] = await source.measure(repetition);
      } catch (error) {
        // Ctrl-C reaches the programs of the host that are measured, before it reaches us.
        await new Promise((resolve) => setTimeout(resolve, SIGNAL_MS));
        if (signal?.aborted !== true) throw error;
      }
      // Signals are delivered between two turns of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) return repetitions;
    }
    if (repetition > 0) repetitions.push(figures);
  }
  return repetitions;
}
