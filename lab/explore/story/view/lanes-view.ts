/** The moments of a story, a column for each CPU that does something. */
import { idleText, lanesOf } from '../story.ts';
import type { Moment, Story } from '../story.ts';
import { element } from './element.ts';
import type { Stepper } from './stepper.ts';

/** `heard` is told of the place whose source is wanted, and null when that ends. */
export function lanesView(
  story: Story,
  stepper: Stepper,
  heard: (place: string | null) => void,
): HTMLElement {
  const lanes = lanesOf(story);
  const body = element('tbody');
  const rows = story.moments.map((moment, index) => {
    if (story.decisive?.moment === index) {
      const cell = element('td', { colspan: String(lanes.length) }, story.decisive.text);
      body.append(element('tr', { class: 'decisive' }, cell));
    }
    const row = rowOf(moment, lanes, heard);
    row.addEventListener('click', () => stepper.goToMoment(index));
    body.append(row);
    return row;
  });
  const heads = lanes.map((cpu) => element('th', { scope: 'col' }, `CPU ${cpu}`));
  const table = element('table', {}, element('thead', {}, element('tr', {}, ...heads)), body);
  const idle = story.operations
    .map((_, cpu) => cpu)
    .filter((cpu) => !lanes.includes(cpu))
    .map((cpu) => element('p', { class: 'soft' }, idleText(story, cpu)));
  const update = (): void => {
    const shown = new Set(stepper.shown);
    let last = -1;
    for (const [index, row] of rows.entries()) {
      row.hidden = !shown.has(index);
      if (row.hidden) continue;
      const { cpu } = story.moments[index] as Moment;
      row.classList.toggle('switch', last >= 0 && cpu !== last);
      row.classList.toggle('later', index > stepper.moment);
      row.classList.toggle('present', index === stepper.moment);
      if (index === stepper.moment) row.setAttribute('aria-current', 'step');
      else row.removeAttribute('aria-current');
      last = cpu;
    }
    rows[stepper.moment]?.scrollIntoView({ block: 'nearest' });
  };
  stepper.onChange(update);
  return element('div', { class: 'lanes' }, ...idle, table);
}

function rowOf(
  { cpu, text, place, kind }: Moment,
  lanes: readonly number[],
  heard: (place: string | null) => void,
): HTMLTableRowElement {
  const cells = lanes.map((lane) => {
    if (lane !== cpu) return element('td');
    const cell = element('td', { class: kind, 'data-cpu': `CPU ${cpu}` }, text);
    if (place !== '') cell.append(placeOf(place, heard));
    return cell;
  });
  return element('tr', {}, ...cells);
}

function placeOf(place: string, heard: (place: string | null) => void): HTMLElement {
  const shown = place.replace(/^(kernel|lab\/explore)\//, '');
  const button = element('button', { type: 'button', class: 'place' }, shown);
  for (const event of ['mouseenter', 'focus']) {
    button.addEventListener(event, () => heard(place));
  }
  for (const event of ['mouseleave', 'blur']) button.addEventListener(event, () => heard(null));
  return button;
}
