/** A failing execution as one HTML page: a lane a CPU, no script, no network. */
import { escapeHtml } from './escape-html.ts';
import type { Story } from './story.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --soft: #6b6b6b; --rule: #ddd;
  --link: #06509e; --bad: #b3261e; --bad-paper: #fdecea; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #16181c; --soft: #9aa0a6; --rule: #3a3d42;
    --link: #8ab4f8; --bad: #f2b8b5; --bad-paper: #3b1f1d; }
}
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: var(--ink);
  background: var(--paper); overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th { text-align: left; padding: 4px 8px; border-bottom: 2px solid var(--soft); position: sticky;
  top: 0; background: var(--paper); }
td { vertical-align: top; padding: 2px 8px; border-left: 1px solid var(--rule); }
tr.switch td { border-top: 1px solid var(--soft); }
.operation { font-weight: 600; } .skipped, .about { color: var(--soft); }
.place { color: var(--link); display: block; font: 12px ui-monospace, monospace; }
.failure { margin: 1em 0; padding: 8px 12px; background: var(--bad-paper);
  border-left: 4px solid var(--bad); }
code { font: 13px ui-monospace, monospace; }
@media (max-width: 700px) {
  body { margin: 1em; }
  thead { display: none; } table, tbody, tr, td { display: block; }
  td { border-left: 0; } td:empty { display: none; }
  tr.switch { border-top: 1px solid var(--soft); }
  td::before { content: attr(data-cpu) " "; color: var(--soft); font-weight: 400; }
}
`;

export function storyHtml(story: Story, title: string, command: string): string {
  const heads = Array.from({ length: story.cpus }, (_, cpu) => `<th>CPU ${cpu}</th>`).join('');
  let last = -1;
  const rows = story.moments.map(({ cpu, text, place, kind }) => {
    const cells = Array.from({ length: story.cpus }, (_, lane) => {
      if (lane !== cpu) return '<td></td>';
      const source = place === '' ? '' : `<span class="place">${escapeHtml(place)}</span>`;
      const label = `class="${kind}" data-cpu="CPU ${cpu}"`;
      return `<td ${label}>${escapeHtml(text)}${source}</td>`;
    });
    const row = `<tr${last >= 0 && cpu !== last ? ' class="switch"' : ''}>${cells.join('')}</tr>`;
    last = cpu;
    return row;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style></head>
<body><h1>${escapeHtml(title)}</h1>
${story.about.map((line) => `<p class="about">${escapeHtml(line)}</p>`).join('\n')}
<p class="failure"><strong>${escapeHtml(story.kind)}</strong>: ${escapeHtml(story.failure)}</p>
<p>Replay: <code>${escapeHtml(command)}</code></p>
<table><thead><tr>${heads}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table></body></html>
`;
}
