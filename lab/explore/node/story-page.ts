/** Writes the page of a failure: the story, its sources, and what the build has made for it. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Story } from '../story/story.ts';
import { sourcesOf } from '../story/source-lines.ts';
import { storyHtml } from '../story/story-html.ts';
import { projectSources } from './project-sources.ts';

export function writeStoryPage(
  path: string,
  story: Story,
  about: { readonly heading: string; readonly command: string },
): void {
  const parts = { script: built('story-page.js'), style: built('story-style.css') };
  writeFileSync(path, storyHtml(story, sourcesOf(story, projectSources()), about, parts));
}

function built(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8').trim();
}
