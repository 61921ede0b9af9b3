/** A failing execution as one HTML page: a lane a CPU, no script, no network. */
import type { Story } from './story.ts';

const STYLE = `
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #1b1b1b; background: #fff; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th { text-align: left; padding: 4px 8px; border-bottom: 2px solid #444; position: sticky; top: 0;
  background: #fff; }
td { vertical-align: top; padding: 2px 8px; border-left: 1px solid #ddd; }
tr.switch td { border-top: 1px solid #bbb; }
.operation { font-weight: 600; } .skipped { color: #777; }
.place { color: #06509e; display: block; font: 12px ui-monospace, monospace; }
.failure { margin: 1em 0; padding: 8px 12px; background: #fdecea; border-left: 4px solid #b3261e; }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
`;

export function storyHtml(story: Story, title: string, command: string): string {
  const heads = Array.from({ length: story.cpus }, (_, cpu) => `<th>CPU ${cpu}</th>`).join('');
  let last = -1;
  const rows = story.moments.map(({ cpu, text, place, kind }) => {
    const cells = Array.from({ length: story.cpus }, (_, lane) => {
      if (lane !== cpu) return '<td></td>';
      const source = place === '' ? '' : `<span class="place">${escapeHtml(place)}</span>`;
      return `<td class="${kind}">${escapeHtml(text)}${source}</td>`;
    });
    const row = `<tr${last >= 0 && cpu !== last ? ' class="switch"' : ''}>${cells.join('')}</tr>`;
    last = cpu;
    return row;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>${STYLE}</style></head>
<body><h1>${escapeHtml(title)}</h1>
<p class="failure"><strong>${escapeHtml(story.kind)}</strong>: ${escapeHtml(story.failure)}</p>
<p>Replay: <code>${escapeHtml(command)}</code></p>
<table><thead><tr>${heads}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table></body></html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
