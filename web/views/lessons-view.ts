/** The lessons: a list with progress; for teachers, every step with its answer. */
import { button, el, fill } from '../core/dom.ts';
import type { PageState } from '../core/link.ts';
import { throttle } from '../core/view.ts';
import type { Page, View } from '../core/view.ts';
import { lessonNames, loadLesson } from '../lessons/lesson.ts';
import type { Lesson } from '../lessons/lesson.ts';
import { stepsDone } from '../lessons/progress.ts';

const REFRESH_MS = 1000;

export class LessonsView implements View {
  readonly name = 'lessons';
  readonly title = 'Lessons';
  readonly element: HTMLElement;
  readonly update: (nowMs: number) => void;
  readonly #page: Page;
  readonly #list = el('div', { class: 'cards' });
  readonly #teacher: HTMLElement;
  #text = '';

  constructor(page: Page) {
    this.#page = page;
    this.update = throttle(REFRESH_MS, () => void this.#refresh());
    const box = el('input', { type: 'checkbox', checked: page.state.answers });
    box.addEventListener('change', () => page.set({ answers: box.checked }));
    this.#teacher = el('label', { class: 'inline' }, box, ' For teachers: show the answers');
    this.element = el(
      'section',
      { 'aria-label': 'Lessons' },
      el('h2', {}, 'Lessons'),
      el(
        'p',
        {},
        'Each is a running machine with something to do, and knows when you have done it. Your ' +
          'progress stays in this browser.',
      ),
      ...[this.#teacher, this.#list],
    );
  }

  attach(): void {}

  onState(_state: PageState): void {
    void this.#refresh();
  }

  async #refresh(): Promise<void> {
    const { answers, lesson } = this.#page.state;
    const names = await lessonNames();
    const lessons = await Promise.all(names.map(loadLesson));
    const text = `${answers} ${lesson} ${names.map(stepsDone).join()}`;
    if (text === this.#text) return;
    this.#text = text;
    fill(this.#list, ...lessons.map((each, i) => this.#card(names[i] ?? '', each, answers)));
  }

  #card(name: string, { title, about, steps }: Lesson, answers: boolean): HTMLElement {
    const done = Math.min(stepsDone(name), steps.length);
    const label = done === steps.length ? 'Done: do it again' : done > 0 ? 'Begin again' : 'Begin';
    const begin = button(label, () => this.#page.set({ lesson: name, view: 'space' }), {
      class: done === 0 ? 'main' : '',
      'aria-label': `${label}: ${title}`,
    });
    const list = answers
      ? el(
          'ol',
          {},
          ...steps.map((step) => el('li', {}, step.do, el('p', { class: 'hint' }, answerOf(step)))),
        )
      : null;
    return el(
      'div',
      { class: 'card' },
      ...[el('h3', {}, title), el('p', {}, about)],
      el('p', { class: 'hint' }, `${done} of ${steps.length} steps done`),
      ...[begin, list],
    );
  }
}

function answerOf({ check, why }: Lesson['steps'][number]): string {
  const reply = check.find((condition) => condition.reply !== undefined)?.reply;
  return reply === undefined ? why : `Answer: ${reply}. ${why}`;
}
