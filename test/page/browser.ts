import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { chromiumPath } from '../support/requirements.mjs';

let browser: Promise<Browser> | undefined;

/** One browser serves all tests of a file. closeBrowser() ends it. */
function sharedBrowser(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: chromiumPath(),
    // The browser of a container runs as root, and shows only pages of the tests.
    args: ['--no-sandbox'],
  });
  return browser;
}

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
}

export interface Visit {
  readonly page: Page;
  /** Paths of the requests, with their queries. */
  readonly requests: string[];
  /** Checks that the browser reported no mistake, and requested nothing from elsewhere. */
  expectClean(): void;
}

interface VisitOptions {
  readonly scheme?: 'dark' | 'light';
  readonly width?: number;
  /** The test can advance the page's timers: `page.clock`. */
  readonly hasTestClock?: boolean;
}

/**
 * Opens the status page in a new window.
 *
 * @param admin - address of the admin port
 * @param view - the part of the address after `#`
 */
export async function visit(admin: string, view = '', options: VisitOptions = {}): Promise<Visit> {
  const { scheme = 'light', width = 1360, hasTestClock = false } = options;
  const page = await (await sharedBrowser()).newPage({
    colorScheme: scheme,
    viewport: { width, height: 850 },
  });
  onTestFinished(() => page.close());
  const requests: string[] = [];
  const foreign: string[] = [];
  const mistakes: string[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.host === admin) requests.push(`${url.pathname}${url.search}`);
    else foreign.push(request.url());
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) mistakes.push(message.text());
  });
  page.on('pageerror', (error) => mistakes.push(error.message));
  page.setDefaultTimeout(10_000);
  if (hasTestClock) await page.clock.install();
  await page.goto(`http://${admin}/#${view}`);
  return {
    page,
    requests,
    expectClean: () => expect({ foreign, mistakes }).toEqual({ foreign: [], mistakes: [] }),
  };
}

/** The texts of one column of the table with this caption, from top to bottom. */
export function column(page: Page, caption: string, title: string): Promise<string[]> {
  return page.locator(`table:has(caption:text-is("${caption}")) td[data-label="${title}"]`).allInnerTexts();
}
