/** The page as a whole: its views, the machine, the controls above them, and the link. */
import { button, el, fill, say } from './dom.ts';
import { readLink, sameBoot, writeLink } from './link.ts';
import type { BootSettings, PageState } from './link.ts';
import { STEP_MS, STILL_MS } from './run-control.ts';
import { Session } from './session.ts';
import type { Page, View } from './view.ts';
import { startBuiltin } from '../views/builtin-programs.ts';
import { LessonBar } from '../views/lesson-bar.ts';
import { SpaceView } from '../views/space-view.ts';

export class App implements Page {
  state: PageState = readLink(globalThis.location.hash);
  session: Session | null = null;
  readonly #views: readonly View[];
  readonly #space: SpaceView;
  readonly #lesson: LessonBar = new LessonBar(this);
  readonly #nav = new Map<View, HTMLAnchorElement>();
  readonly #main: HTMLElement;
  readonly #status: HTMLElement = el('output', { id: 'status' });
  readonly #live: HTMLElement = el('div', { class: 'unseen', role: 'status' });
  readonly #controls: HTMLElement[];
  /** The last reboot: they come one after the other. */
  #booting: Promise<void> = Promise.resolve();

  constructor(makeViews: (page: Page) => readonly View[]) {
    this.#views = makeViews(this);
    this.#space = this.#views.find((view) => view instanceof SpaceView) as SpaceView;
    this.#main = document.querySelector('main') as HTMLElement;
    this.#controls = this.#makeControls();
    this.#build();
    globalThis.addEventListener('hashchange', () => this.#follow());
    const frame = (nowMs: number): void => {
      for (const view of this.#views) view.tick?.(nowMs);
      this.#shown.update(nowMs);
      this.#lesson.update(nowMs);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** Boots the machine that the link asks for. */
  async start(): Promise<void> {
    // A lesson boots a machine of its own.
    if (this.state.lesson === '') await this.reboot(this.state.boot);
    const { program, args } = this.state;
    if (program !== '' && this.session !== null) await startBuiltin(this.session, program, args);
  }

  set(change: Partial<PageState>): void {
    this.state = { ...this.state, ...change };
    history.replaceState(null, '', writeLink(this.state));
    this.#show();
  }

  reboot(settings: BootSettings): Promise<void> {
    this.#booting = this.#booting.then(() => this.#reboot(settings));
    return this.#booting;
  }

  showPage(pid: number, vpn: number): void {
    this.set({ view: 'space' });
    this.#space.focusPage(pid, vpn);
  }

  announce(text: string): void {
    say(this.#live, text);
  }

  async #reboot(settings: BootSettings): Promise<void> {
    const old = this.session;
    this.session = null;
    for (const view of this.#views) view.attach(null);
    this.#lesson.attach(null);
    this.#refresh('booting …');
    await old?.stop();
    let session: Session | null = null;
    try {
      session = await Session.start(settings, () => this.#refresh());
      await session.startHand();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#refresh(`did not boot: ${message}`);
      return void session?.stop();
    }
    this.session = session;
    this.set({ boot: settings });
    for (const view of this.#views) view.attach(session);
    this.#lesson.attach(session);
    this.#refresh();
    this.announce(`Machine booted in ${Math.round(session.bootMs)} ms`);
  }

  get #shown(): View {
    return this.#views.find(({ name }) => name === this.state.view) ?? (this.#views[0] as View);
  }

  #makeControls(): HTMLElement[] {
    const act = (work: (session: Session) => void) => () => {
      if (this.session !== null) work(this.session);
    };
    return [
      button(
        'Run',
        act(({ control }) => control.run()),
        { 'data-mode': 'running' },
      ),
      button(
        'Pause',
        act(({ control }) => void control.pause()),
        { 'data-mode': 'paused' },
      ),
      button(
        'Slow',
        act(({ control }) => void control.slow()),
        {
          'data-mode': 'slow',
          title: `Runs ${STEP_MS} ms, then stands still for ${STILL_MS} ms`,
        },
      ),
      button(
        'Step',
        act(({ control }) => void control.step()),
        {
          title: `Lets all CPUs run for ${STEP_MS} ms: they are threads, so no shorter step exists`,
        },
      ),
      button('Reset', () => void this.reboot(this.state.boot), {
        title: 'Ends the machine and boots it again',
      }),
    ];
  }

  #build(): void {
    const nav = el('nav', { 'aria-label': 'Views' });
    for (const view of this.#views) {
      const link = el('a', { href: `#view=${view.name}` }, view.title);
      link.addEventListener('click', (event) => {
        event.preventDefault();
        this.set({ view: view.name });
      });
      this.#nav.set(view, link);
      nav.append(link);
    }
    const group = el('div', { class: 'controls', role: 'group', 'aria-label': 'Machine' });
    group.append(...this.#controls, this.#status);
    document.querySelector('header')?.append(nav, group, this.#live);
    document.body.classList.toggle('embed', this.state.embed);
    this.#main.before(this.#lesson.element);
    this.#show();
  }

  #show(): void {
    const shown = this.#shown;
    for (const [view, link] of this.#nav) {
      if (view === shown) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    if (this.#main.firstElementChild !== shown.element) fill(this.#main, shown.element);
    document.title = `${shown.title} – Faultline`;
    for (const view of this.#views) view.onState?.(this.state);
    void this.#lesson.open(this.state.lesson);
  }

  /** Somebody has followed a link to this same page, or typed one. */
  #follow(): void {
    const before = this.state;
    this.state = readLink(globalThis.location.hash);
    this.#show();
    if (!sameBoot(before.boot, this.state.boot) || before.program !== this.state.program) {
      void this.start();
    }
  }

  #refresh(text?: string): void {
    const mode = this.session?.control.mode;
    const said = text ?? mode;
    if (said !== undefined) say(this.#status, said);
    for (const control of this.#controls) {
      const own = control.getAttribute('data-mode');
      if (own !== null) control.setAttribute('aria-pressed', String(own === mode));
      (control as HTMLButtonElement).disabled = mode === undefined && own !== null;
    }
  }
}
