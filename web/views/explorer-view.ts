/** The explorer's place. It runs on Node so far; what it draws can be opened in a browser. */
import { el } from '../core/dom.ts';
import type { View } from '../core/view.ts';

export class ExplorerView implements View {
  readonly name = 'explorer';
  readonly title = 'Explorer';
  readonly element: HTMLElement = el(
    'section',
    { 'aria-label': 'Explorer' },
    el('h2', {}, 'Explorer'),
    el(
      'p',
      {},
      'The explorer tries the interleavings of the kernel’s own source, one shared access at a ' +
        'time. It is a command for Node: ',
      el('code', {}, 'npx faultline museum NAME --html story.html'),
      ' finds a bug that a real kernel had, and draws how it comes about as a page to open here.',
    ),
  );

  attach(): void {}

  update(): void {}
}
