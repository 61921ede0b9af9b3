/**
 * A story to step through, forwards and backwards: by buttons, a slider, a click, or the keys Left,
 * Right, Home and End. Beside it are the machine at that moment and the source. Needs a document
 * and nothing else.
 */
import type { Sources } from '../source-lines.ts';
import type { Moment, Story } from '../story.ts';
import { element } from './element.ts';
import { lanesView } from './lanes-view.ts';
import { announcement, stateView } from './state-view.ts';
import { Stepper } from './stepper.ts';

/** An element to be put into a page whose style is that of page.css. */
export function storyView(story: Story, sources: Sources): HTMLElement {
  const stepper = new Stepper(story.moments);
  const source = sourceView(story, sources, stepper);
  const side = element('div', { class: 'side' }, stateView(story, stepper), source.root);
  const lanes = lanesView(story, stepper, source.show);
  const root = element('div', { class: 'story' }, controls(story, stepper), side, lanes);
  const steps: Readonly<Record<string, () => number>> = {
    ArrowLeft: () => stepper.position - 1,
    ArrowRight: () => stepper.position + 1,
    Home: () => 0,
    End: () => stepper.count - 1,
  };
  root.addEventListener('keydown', (event) => {
    const step = steps[event.key];
    const { altKey, ctrlKey, metaKey } = event;
    if (step === undefined || altKey || ctrlKey || metaKey) return;
    event.preventDefault();
    stepper.go(step());
  });
  stepper.go(0);
  return root;
}

function controls(story: Story, stepper: Stepper): HTMLElement {
  const button = (text: string, position: () => number): HTMLButtonElement => {
    const made = element('button', { type: 'button' }, text);
    made.addEventListener('click', () => stepper.go(position()));
    return made;
  };
  const first = button('First', () => 0);
  const back = button('Back', () => stepper.position - 1);
  const forward = button('Forward', () => stepper.position + 1);
  const last = button('Last', () => stepper.count - 1);
  const slider = element('input', { type: 'range', min: '0', 'aria-label': 'Step' });
  slider.addEventListener('input', () => stepper.go(Number(slider.value)));
  const all = element('input', { type: 'checkbox' });
  all.addEventListener('change', () => stepper.showMinor(all.checked));
  const status = element('p', { class: 'status', 'aria-live': 'polite' });
  stepper.onChange(() => {
    const { position, count } = stepper;
    slider.max = String(Math.max(0, count - 1));
    slider.value = String(position);
    // Not `disabled`: a button that has the focus would lose it, and the keys with it.
    const ends = [position === 0, position === 0, position >= count - 1, position >= count - 1];
    [first, back, forward, last].forEach((one, i) =>
      one.setAttribute('aria-disabled', String(ends[i])),
    );
    const moment: Moment | undefined = story.moments[stepper.moment];
    status.textContent = moment === undefined ? '' : announcement(moment, position, count);
  });
  return element(
    'div',
    { class: 'controls', role: 'group', 'aria-label': 'Steps of the story' },
    ...[first, back, slider, forward, last],
    element('label', {}, all, ' every access'),
    status,
  );
}

function sourceView(
  story: Story,
  sources: Sources,
  stepper: Stepper,
): { readonly root: HTMLElement; readonly show: (place: string | null) => void } {
  const root = element('div', { class: 'source', tabindex: '0', 'aria-label': 'Source' });
  const show = (place: string | null): void => {
    const wanted = place ?? story.moments[stepper.moment]?.place ?? '';
    const found = sources[wanted];
    if (found === undefined) {
      root.replaceChildren();
      return;
    }
    const [file = '', line = ''] = wanted.split(/:(?=\d+$)/);
    const lines = found.lines.map((text, i) => {
      const number = found.from + i;
      const marked = number === Number(line) ? { class: 'here' } : {};
      return element('code', marked, `${String(number).padStart(4)}  ${text}\n`);
    });
    root.replaceChildren(element('p', { class: 'soft' }, file), element('pre', {}, ...lines));
  };
  stepper.onChange(() => show(null));
  return { root, show };
}
