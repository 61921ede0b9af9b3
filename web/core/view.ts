/** What a view of the page is, and what it may ask of the page. */
import type { Pid, Vpn } from '../../shared/units.ts';
import type { BootSettings, PageState, ViewName } from './link.ts';
import type { Session } from './session.ts';

export interface Page {
  readonly state: PageState;
  /** The machine that runs now; null while one boots, or after one has failed. */
  readonly session: Session | null;
  /** Changes the state and with it the link. */
  set(change: Partial<PageState>): void;
  /** Ends the machine and boots another one. Resolves when it runs. */
  reboot(settings: BootSettings): Promise<void>;
  /** Opens the address space of a process at a page. */
  showPage(pid: Pid, vpn: Vpn): void;
  /** Says something to the user, also to who listens only. */
  announce(text: string): void;
}

export interface View {
  readonly name: ViewName;
  readonly title: string;
  readonly element: HTMLElement;
  /** A new machine runs, or none. */
  attach(session: Session | null): void;
  /** Called for each frame that the browser draws while the view is shown. */
  update(nowMs: number): void;
  /** Called for each frame that the browser draws, whatever view is shown. */
  tick?(nowMs: number): void;
  /** The page's state has changed. */
  onState?(state: PageState): void;
}

/** Calls `work` at most once in `everyMs`. */
export function throttle(everyMs: number, work: () => void): (nowMs: number) => void {
  let lastMs = -Infinity;
  return (nowMs) => {
    if (nowMs - lastMs < everyMs) return;
    lastMs = nowMs;
    work();
  };
}

/** How often texts and tables are renewed. */
export const TEXT_MS = 250;
