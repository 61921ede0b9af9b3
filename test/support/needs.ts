/** What some tests need of the machine they run on, beyond Node. */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium as browsers } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { describe } from 'vitest';

/** The path of a program, or null where this machine does not have it. */
type Finder = () => string | null;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(...names: readonly string[]): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find(isExecutable) ?? null;
}

/** The browser that CHROMIUM names, else the system's. */
export const chromium: Finder = () => {
  const named = process.env['CHROMIUM'];
  if (named !== undefined) return isExecutable(named) ? named : null;
  return onPath('chromium', 'chromium-browser', 'google-chrome');
};

export function launchChromium(): Promise<Browser> {
  const executablePath = chromium() ?? '';
  return browsers.launch({ executablePath, args: ['--no-sandbox'] });
}

/** The tests of the page that take long. */
export const wholePage: Finder = () => process.env['FAULTLINE_WEB'] ?? null;
Object.defineProperty(wholePage, 'name', { value: 'all of the page, see npm run test:web' });

/** A package that `npm run test:bundlers` has installed for the tests that it runs. */
export function bundler(name: string): Finder {
  const folder = process.env['FAULTLINE_BUNDLERS'];
  const path = folder === undefined ? null : join(folder, name);
  const find: Finder = () => (path !== null && existsSync(path) ? path : null);
  Object.defineProperty(find, 'name', { value: `${name}, see npm run test:bundlers` });
  return find;
}

/**
 * `describe` for tests that cannot run without these programs. Where one is missing they are
 * skipped, each by its name, and the heading says what is missing.
 */
export function skipWithout(...needs: readonly Finder[]): (name: string, body: () => void) => void {
  const missing = needs.filter((need) => need() === null).map((need) => need.name);
  if (missing.length === 0) return describe;
  return (name, body) => describe.skip(`${name} (not here: ${missing.join(', ')})`, body);
}
