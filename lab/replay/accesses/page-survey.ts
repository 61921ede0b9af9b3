/**
 * The first reading of an access trace: the pages of each space, because nothing else says what is
 * mapped, and the areas, if they were recorded too.
 */
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { vpnOf } from '../../../shared/units.ts';
import type { MapsLine } from '../../difftest/maps-text.ts';
import { TraceError } from '../text/recognise.ts';
import { isWrite } from './access-lines.ts';
import type { AccessSink } from './access-lines.ts';

/** Pages of one trace: 16 GiB, and spaces of one. */
const PAGES_MAX: number = 2 ** 22;
const SPACES_MAX = 4096;
/** Pages between two that are touched, which belong to the same area all the same. */
const JOINED_PAGES = 16;
/** Places of a cache of pages that are known already. */
const RECENT = 4096;

/** Pages [start, end). */
export interface SurveyedArea {
  readonly startVpn: number;
  endVpn: number;
  /** Whether the program wrote to it. */
  isWritten: boolean;
  /** The line of maps that has it; null if none has. */
  readonly recorded: MapsLine | null;
}

export class PageSurvey {
  /** Of each space, its pages, and whether one was written. */
  readonly #pages = new Map<number, Map<number, boolean>>();
  /** By space; of maps, if they were recorded. */
  readonly areas: MapsLine[] = [];
  readonly #recent = new Float64Array(RECENT).fill(NaN);
  readonly #recentWrites = new Float64Array(RECENT).fill(NaN);
  #space = NaN;
  #count = 0;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  get spaces(): readonly number[] {
    return [...this.#pages.keys()];
  }

  readonly see: AccessSink = (space, kind, vpn, offset, size, line) => {
    if (space !== this.#space) {
      this.#recent.fill(NaN);
      this.#recentWrites.fill(NaN);
      this.#space = space;
    }
    const write = isWrite(kind);
    const recent = write ? this.#recentWrites : this.#recent;
    const slot = vpn & (RECENT - 1);
    if (recent[slot] !== vpn) {
      recent[slot] = vpn;
      this.#add(space, vpn, write, line);
    }
    if (offset + size > PAGE_SIZE) this.#add(space, vpn + 1, write, line);
  };

  #add(space: number, vpn: number, write: boolean, line: number): void {
    let pages = this.#pages.get(space);
    if (pages === undefined) {
      if (this.#pages.size >= SPACES_MAX) this.#refuse(line, `more than ${SPACES_MAX} processes`);
      pages = new Map();
      this.#pages.set(space, pages);
    }
    const known = pages.get(vpn);
    if (known === undefined && ++this.#count > PAGES_MAX) {
      this.#refuse(line, `more than ${PAGES_MAX} pages`);
    }
    if (known !== true) pages.set(vpn, write);
  }

  #refuse(line: number, what: string): never {
    throw new TraceError(`'${this.#name}': line ${line}: ${what}: take a part of the trace`);
  }

  /**
   * The areas that hold a space's pages: the recorded ones, and for the rest runs of pages. What
   * was written could be written, whatever its area allowed at the end.
   */
  areasOf(space: number): SurveyedArea[] {
    const pages = [...(this.#pages.get(space) ?? [])].sort(([a], [b]) => a - b);
    const areas = this.areas.map((line) => ({
      ...{ startVpn: vpnOf(line.start), endVpn: vpnOf(line.end), isWritten: false, recorded: line },
    }));
    const used: SurveyedArea[] = [];
    let at = 0;
    for (const [vpn, isWritten] of pages) {
      while (at < areas.length && (areas[at] as SurveyedArea).endVpn <= vpn) at++;
      const area = areas[at];
      let last = used[used.length - 1];
      if (last === undefined || vpn >= last.endVpn) {
        const next = area !== undefined && area.startVpn <= vpn ? area : runFrom(vpn);
        if (next === area || last?.recorded !== null || vpn > last.endVpn + JOINED_PAGES) {
          used.push((last = next));
        } else last.endVpn = Math.min(vpn + 1, area?.startVpn ?? Infinity);
      }
      if (isWritten) last.isWritten = true;
    }
    return used;
  }
}

function runFrom(vpn: number): SurveyedArea {
  return { startVpn: vpn, endVpn: vpn + 1, isWritten: false, recorded: null };
}
