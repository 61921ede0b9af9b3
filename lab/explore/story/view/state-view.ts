/** The machine at the moment that is looked at: modes, page tables and TLBs; changes are marked. */
import type { Listing, Moment, Story } from '../story.ts';
import { element } from './element.ts';
import type { Stepper } from './stepper.ts';

export function stateView(story: Story, stepper: Stepper): HTMLElement {
  const root = element('div', { class: 'state' });
  const stateOf = (moment: number) => story.states[story.moments[moment]?.state ?? -1];
  stepper.onChange(() => {
    const now = stateOf(stepper.moment);
    if (now === undefined) return;
    const before = stateOf(stepper.before) ?? now;
    const modes = (state: typeof now): Listing => ({
      title: 'CPUs',
      rows: state.modes.map((mode, cpu) => [`CPU ${cpu}`, mode] as const),
    });
    const all = [modes(now), ...now.tables, ...now.tlbs];
    const earlier = [modes(before), ...before.tables, ...before.tlbs];
    root.replaceChildren(...all.map((listing, i) => tableOf(listing, earlier[i] ?? listing)));
  });
  return root;
}

function tableOf({ title, rows }: Listing, before: Listing): HTMLElement {
  const body = rows.map(([name, text], i) => {
    const isChanged = before.rows[i]?.[1] !== text;
    const cell = element('td', isChanged ? { class: 'changed' } : {}, text);
    if (isChanged) cell.append(element('span', { class: 'mark' }, 'changed'));
    return element('tr', {}, element('th', { scope: 'row' }, name), cell);
  });
  const none = element('tr', {}, element('td', { class: 'soft' }, 'empty'));
  return element(
    'table',
    {},
    element('caption', {}, title),
    element('tbody', {}, ...(body.length === 0 ? [none] : body)),
  );
}

/** What a screen reader says of a step. */
export function announcement({ cpu, text, kind }: Moment, position: number, count: number): string {
  const what = kind === 'operation' ? `begins ${text}` : text;
  return `Step ${position + 1} of ${count}. CPU ${cpu}: ${what}`;
}
