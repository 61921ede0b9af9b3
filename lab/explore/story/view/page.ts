/** The script of a failure's page: the build bundles it into dist/story-page.js. */
import type { Sources } from '../source-lines.ts';
import type { Story } from '../story.ts';
import { storyView } from './story-view.ts';

const data = document.getElementById('data')?.textContent ?? '';
const { story, sources } = JSON.parse(data) as { story: Story; sources: Sources };
const view = storyView(story, sources);
document.getElementById('story')?.replaceWith(view);
// The keys work at once.
view.tabIndex = -1;
view.focus({ preventScroll: true });
