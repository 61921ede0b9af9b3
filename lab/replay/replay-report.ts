/** What a replay has found: values, for people's tables and for documents. */
import type { Quantiles } from '../../kernel/reports/histogram.ts';
import type { TraceFormat } from './text/recognise.ts';

/** A call, or the areas of a process, that came out otherwise than recorded. */
export interface Difference {
  readonly line: number;
  /** As recorded. */
  readonly process: number;
  readonly what: string;
  readonly recorded: string;
  readonly here: string;
}

/** What a process had used when it ended, or when the replay did. */
export interface ProcessRow {
  /** As recorded; 0 in a recording of one process. */
  readonly process: number;
  readonly name: string;
  readonly threads: number;
  /** Memory calls. */
  readonly calls: number;
  readonly areas: number;
  readonly residentPages: number;
  readonly residentPagesPeak: number;
  readonly tables: number;
  readonly faultsMinor: number;
  readonly faultsMajor: number;
}

/** Frames of the machine at the end. */
export interface FrameRow {
  readonly total: number;
  readonly used: number;
  readonly usedPeak: number;
  readonly tables: number;
  readonly tablesPeak: number;
  /** Free blocks of 2^i frames. */
  readonly freeBlocks: readonly number[];
  /** Percent of the free frames that are in no block of 4 MiB. */
  readonly fragmentedPercent: number;
}

/** Lines that were not replayed, by reason. */
export interface NotReplayed {
  readonly reason: string;
  readonly count: number;
  /** The first such line; 0 if it is not known. */
  readonly firstLine: number;
}

export interface ReplayReport {
  readonly file: string;
  readonly format: TraceFormat;
  readonly command: string | null;
  readonly host: string | null;
  readonly lines: number;
  /** Calls in the recording, replayed or not. */
  readonly calls: number;
  /** Calls whose result was compared, and those of them that were equal. */
  readonly compared: number;
  readonly equal: number;
  /** Addresses that the machine chose itself, and those of them that are the recorded ones. */
  readonly choices: number;
  readonly choicesEqual: number;
  /** Processes' areas that were compared, and those of them that were equal. */
  readonly mapsCompared: number;
  readonly mapsEqual: number;
  /** The first of them. */
  readonly differences: readonly Difference[];
  readonly differencesTotal: number;
  readonly notReplayed: readonly NotReplayed[];
  readonly inferredPages: number;
  /** Loads, stores and so on of an access trace. */
  readonly accesses: Readonly<Record<string, number>>;
  /** The largest processes first. */
  readonly processes: readonly ProcessRow[];
  readonly processesTotal: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly syscalls: Readonly<Record<string, Quantiles>>;
  readonly frames: FrameRow;
  readonly violations: readonly string[];
  readonly milliseconds: number;
  /** Texts of processes' areas, if they were asked for. */
  readonly maps: readonly { readonly process: number; readonly text: string }[];
  /** The line after which it was stopped, null if it came to the end. */
  readonly stoppedAt: number | null;
}
