/** The lab's page in Chromium, watched: what it says on the console and what it asks of others. */
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startStaticServer } from '../../scripts/static-server.mjs';
import type { StaticServer } from '../../scripts/static-server.mjs';
import { launchChromium } from './needs.ts';

/** The page's files as they are built. */
export const pageFolder: string = fileURLToPath(new URL('../../dist/web', import.meta.url));
/** In the order of the page. */
export const viewTitles: readonly string[] = [
  ...['Machine', 'Memory', 'Address space', 'Programs', 'Charts', 'Lessons'],
];
const BOOT_MS = 20_000;

export class LabPage {
  readonly server: StaticServer;
  readonly browser: Browser;
  /** Messages of the console except logs, errors, and requests to other hosts, of all pages. */
  readonly complaints: string[] = [];

  private constructor(server: StaticServer, browser: Browser) {
    this.server = server;
    this.browser = browser;
  }

  static async start(): Promise<LabPage> {
    const server = await startStaticServer({ root: pageFolder });
    return new LabPage(server, await launchChromium());
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.close();
  }

  /** A page in a window of its own, not opened yet. */
  async window(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await this.browser.newContext(options)).newPage();
    page.on('pageerror', (error) => this.complaints.push(String(error.stack)));
    page.on('console', (message) => {
      if (message.type() !== 'log') this.complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('request', (request) => {
      const url = request.url();
      if (/^(blob|data):/.test(url) || url.startsWith(this.server.url)) return;
      this.complaints.push(`request to ${url}`);
    });
    return page;
  }

  /** A machine that runs, with the link's state. */
  async open(link: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.window(options);
    await page.goto(`${this.server.url}#${link}`);
    await booted(page);
    return page;
  }
}

export async function booted(page: Page): Promise<void> {
  await page
    .locator('#status')
    .filter({ hasText: /^running$/ })
    .waitFor({ timeout: BOOT_MS });
}

export async function show(page: Page, title: string): Promise<void> {
  await page.getByRole('link', { name: title, exact: true }).click();
}

/** Presses a button by its text. */
export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

/** Waits until the result of the last call by hand matches. */
export async function resultOf(page: Page, pattern: RegExp): Promise<string> {
  const result = page.locator('.hand .result').filter({ hasText: pattern });
  await result.waitFor({ timeout: 10_000 });
  return result.innerText();
}
