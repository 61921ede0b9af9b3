/** A failing execution as one HTML page to step through (view/story-view.ts), without a network. */
import { escapeHtml } from '../engine/escape-html.ts';
import type { Sources } from './source-lines.ts';
import type { Story } from './story.ts';
import { formatStory } from './story-text.ts';

/** Columns of the text that stands in where scripts do not run. */
const COLUMNS = 100;

/** What the build has made of view/page.ts and view/page.css. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
}

/** `heading`: what the page is about; `command` replays the failure. */
export function storyHtml(
  story: Story,
  sources: Sources,
  { heading, command }: { readonly heading: string; readonly command: string },
  { script, style }: PageParts,
): string {
  const { about, bug, wrong, happened, expected, operations, kind, terms } = story;
  const does = operations.map((list, cpu) => `CPU ${cpu}: ${list === '' ? 'nothing' : list}`);
  const facts: readonly (readonly [string, readonly string[]])[] = [
    ['Scenario', [about, ...does]],
    ['Seeded bug', bug === '' ? [] : [bug]],
    ['What happened', happened === '' ? [] : [happened]],
    ['What whole operations give, one after another', expected],
  ];
  const data = JSON.stringify({ story, sources }).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(heading)}</title>
<style>${style}</style></head>
<body><main><h1>${escapeHtml(heading)}</h1>
<p class="wrong"><strong>${escapeHtml(kind)}</strong>. ${escapeHtml(wrong)}</p>
${definitions('facts', facts)}
<div id="story"><noscript><pre>${escapeHtml(formatStory(story, COLUMNS))}</pre></noscript></div>
${
  terms.length === 0
    ? ''
    : `<h2>Terms</h2>${definitions(
        'terms',
        terms.map(([term, text]) => [term, [text]] as const),
      )}`
}
<p>Replay: <code>${escapeHtml(command)}</code></p></main>
<script type="application/json" id="data">${data}</script>
<script>${script}</script>
</body></html>
`;
}

function definitions(
  name: string,
  facts: readonly (readonly [string, readonly string[]])[],
): string {
  const rows = facts.flatMap(([term, texts]) => {
    if (texts.length === 0) return [];
    return [`<dt>${escapeHtml(term)}</dt>`, ...texts.map((text) => `<dd>${escapeHtml(text)}</dd>`)];
  });
  return `<dl class="${name}">\n${rows.join('\n')}\n</dl>`;
}
