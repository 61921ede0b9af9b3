/** The page's script: makes sure of shared memory, then builds the views and boots a machine. */
import { App } from './core/app.ts';
import { el, fill } from './core/dom.ts';
import { ensureIsolation } from './core/isolation.ts';
import { ChartsView } from './views/charts-view.ts';
import { LessonsView } from './views/lessons-view.ts';
import { MachineView } from './views/machine-view.ts';
import { MemoryView } from './views/memory-view.ts';
import { ProgramsView } from './views/programs-view.ts';
import { SpaceView } from './views/space-view.ts';

async function main(): Promise<void> {
  const missing = await ensureIsolation();
  if (missing !== null) {
    const notice = el('p', { class: 'notice', role: 'alert' }, missing);
    return fill(document.querySelector('main') as HTMLElement, notice);
  }
  // The page reloads itself in a moment.
  if (!globalThis.crossOriginIsolated) return;
  const app = new App((page) => [
    new MachineView(page),
    new MemoryView(page),
    new SpaceView(),
    new ProgramsView(page),
    new ChartsView(),
    new LessonsView(page),
  ]);
  await app.start();
}

void main();
