/** Elements of the page, made in one call each. */

export type Child = Node | string | null;

type Properties = Readonly<Record<string, string | number | boolean | EventListener | null>>;

/**
 * An element with properties and children. `on…` are listeners; true sets an empty attribute, false
 * and null set none; text is always text, never HTML.
 */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === false || value === null) continue;
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Replaces all children. */
export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren(...children.filter((child) => child !== null));
}

/** Sets the text, and leaves the element alone when it has that text: selections stay. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A button that calls `act`. */
export function button(label: string, act: () => void, properties: Properties = {}): HTMLElement {
  return el('button', { type: 'button', onclick: act, ...properties }, label);
}

let lastId = 0;

/** A name for an element that another one refers to. */
export function newId(): string {
  return `id${++lastId}`;
}

/** A labelled choice; `choices` are values, shown as they are. */
export function choice(
  label: string,
  choices: readonly string[],
  chosen: string,
): { readonly element: HTMLElement; readonly input: HTMLSelectElement } {
  const options = choices.map((value) =>
    el('option', { value, selected: value === chosen }, value),
  );
  const input = el('select', {}, ...options);
  return { element: el('label', {}, el('span', {}, label), input), input };
}

/** A labelled line of text. */
export function field(
  label: string,
  value: string,
  properties: Properties = {},
): { readonly element: HTMLElement; readonly input: HTMLInputElement } {
  const input = el('input', { value, ...properties });
  return { element: el('label', {}, el('span', {}, label), input), input };
}

/** A table with a caption for screen readers; rows may be replaced later. */
export function table(
  caption: string,
  heads: readonly string[],
): { readonly element: HTMLElement; readonly body: HTMLTableSectionElement } {
  const body = el('tbody');
  const head = el('tr', {}, ...heads.map((text) => el('th', { scope: 'col' }, text)));
  const element = el(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    el('table', {}, el('caption', {}, caption), el('thead', {}, head), body),
  );
  return { element, body };
}

/** A row of texts and elements. */
export function row(...cells: readonly Child[]): HTMLTableRowElement {
  return el('tr', {}, ...cells.map((cell) => el('td', {}, cell)));
}
