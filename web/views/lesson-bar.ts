/** The open lesson, above whatever view is shown: the step to do, and whether it was done. */
import { button, el, fill, say } from '../core/dom.ts';
import { BOOT_DEFAULTS, bootSettings } from '../core/link.ts';
import type { Session } from '../core/session.ts';
import { TEXT_MS, throttle } from '../core/view.ts';
import type { Page } from '../core/view.ts';
import { onHandWork } from '../hand/hand-work.ts';
import { loadLesson } from '../lessons/lesson.ts';
import type { Lesson } from '../lessons/lesson.ts';
import { MEASURES } from '../lessons/measures.ts';
import { keepProgress } from '../lessons/progress.ts';
import { StepCheck } from '../lessons/step-check.ts';

export class LessonBar {
  readonly element: HTMLElement = el('aside', {
    class: 'lesson',
    'aria-label': 'Lesson',
    hidden: true,
  });
  readonly update: (nowMs: number) => void;
  readonly #page: Page;
  #session: Session | null = null;
  #name = '';
  #lesson: Lesson | null = null;
  #step = 0;
  #check: StepCheck | null = null;
  #isDone = false;

  constructor(page: Page) {
    this.#page = page;
    this.update = throttle(TEXT_MS, () => this.#look());
    onHandWork((outcome) => this.#check?.called(outcome));
  }

  attach(session: Session | null): void {
    this.#session = session;
    session?.onEnd((name) => this.#check?.ended(name));
    if (session === null) this.#check = null;
    else this.#begin(0);
  }

  /** Opens the lesson that the link names, '' for none. */
  async open(name: string): Promise<void> {
    if (name === this.#name) return;
    this.#name = name;
    this.#lesson = null;
    this.element.hidden = name === '';
    if (name === '') return;
    try {
      const lesson = await loadLesson(name);
      if (name !== this.#name) return;
      this.#lesson = lesson;
      const wanted = lesson.boot ?? {};
      await this.#page.reboot(bootSettings((key) => wanted[key] ?? null, BOOT_DEFAULTS));
    } catch (error) {
      fill(this.element, el('p', {}, error instanceof Error ? error.message : String(error)));
      await this.#page.reboot(this.#page.state.boot);
    }
  }

  #begin(step: number): void {
    const session = this.#session;
    const content = this.#lesson?.steps[step];
    if (session === null || this.#lesson === null) return;
    this.#step = step;
    this.#isDone = false;
    this.#check =
      content === undefined
        ? null
        : new StepCheck(content, {
            measure: (name) => MEASURES[name]?.(session) ?? NaN,
            handPid: session.handPid,
          });
    this.#draw();
  }

  #look(): void {
    const check = this.#check;
    if (check === null || this.#isDone) return;
    check.look();
    if (!check.isDone) return;
    this.#isDone = true;
    keepProgress(this.#name, this.#step + 1);
    this.#draw();
    this.#page.announce('Step done');
  }

  #draw(): void {
    const lesson = this.#lesson;
    if (lesson === null) return;
    const close = button('Close the lesson', () => this.#page.set({ lesson: '' }), {
      class: 'link',
    });
    const step = lesson.steps[this.#step];
    const title = el('strong', {}, lesson.title);
    if (step === undefined) {
      const end = el(
        'p',
        {},
        'That was the last step. ',
        button('Lessons', () => this.#page.set({ lesson: '', view: 'lessons' })),
      );
      return fill(this.element, el('p', {}, title, ' ', close), end);
    }
    const count = `step ${this.#step + 1} of ${lesson.steps.length}`;
    fill(
      this.element,
      el('p', {}, title, ` – ${count} `, close),
      el('p', { class: 'do' }, step.do),
      this.#isDone ? this.#done(step.why) : this.#open(step.hint),
    );
  }

  #done(why: string): HTMLElement {
    const next = button('Next', () => this.#begin(this.#step + 1), { class: 'main' });
    return el('div', { class: 'done' }, el('p', {}, el('b', {}, 'Done. '), why), next);
  }

  #open(hint: string | undefined): HTMLElement {
    const hints = hint === undefined ? null : el('details', {}, el('summary', {}, 'Hint'), hint);
    return el('div', {}, this.#check?.asks === true ? this.#question() : null, hints);
  }

  #question(): HTMLElement {
    const input = el('input', { 'aria-label': 'Your answer', size: 12 });
    const verdict = el('span', { role: 'status' });
    const submit = el('button', { type: 'submit' }, 'Answer');
    const form = el('form', { class: 'buttons' }, input, submit, verdict);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const isRight = this.#check?.replied(input.value) ?? false;
      say(verdict, isRight ? 'Right.' : 'Not so: look again.');
    });
    return form;
  }
}
