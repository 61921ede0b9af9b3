/** The Chromium that tests drive. Tests that need it are skipped by name where there is none. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** CHROMIUM names another one than the usual. */
export const chromiumPath: string = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export const hasChromium: boolean = existsSync(chromiumPath);

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
}
