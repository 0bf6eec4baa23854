import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AGREED_MESS, type Mailbox } from 'spread-sidecar-client';
import { ConnectRequest } from 'spread-sidecar-proto';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { isAvailable } from '../support/requirements.mjs';
import { failure, startSecured } from '../support/sidecars/secured-sidecar.js';
import { until } from '../support/until.js';
import { closeBrowser, column, visit } from './browser.js';

const ADMIN = 'admin-0123456789abcdef';
const BILLING = 'billing-0123456789abcdef';

/** Shows a value until it has this property. The page refreshes every 2 s. */
const shows = (what: string, condition: () => Promise<boolean>) =>
  until(condition, { timeoutMs: 10_000, what: `the page shows ${what}` });

/** A sidecar with a slow consumer, an ended mailbox and a rejected token. */
async function troubledSidecar() {
  const sidecar = await startSecured({ MAILBOX_QUEUE_MAX_EVENTS: '100', MAILBOX_LEASE_MIN: '100ms' });
  const client = sidecar.client();
  const sender = await client.connect({ privateName: 'sender' });
  const slow = await client.connect({ privateName: 'slow' });
  await slow.join('orders', { awaitView: true });
  for (let sent = 0; sent < 95; sent++) await sender.multicast(AGREED_MESS, 'orders', 'x');
  // The generated client does not keep its mailbox alive.
  const request = ConnectRequest.fromPartial({ privateName: 'expired', lease: { nanos: 100_000_000 } });
  await new Promise<void>((resolve, reject) => {
    sidecar.rawClient().connect(request, (error) => (error ? reject(error) : resolve()));
  });
  return { sidecar };
}

describe.skipIf(!isAvailable('chromium'))('the status page', { timeout: 60_000 }, () => {
  afterAll(closeBrowser);

  it('answers which client is slow, why a mailbox ended and which daemon is connected', async () => {
    const { sidecar } = await troubledSidecar();
    const { page, expectClean } = await visit(sidecar.admin);
    const daemon = page.getByRole('region', { name: 'Daemon connection' });
    await shows('the daemon', async () => /\/spread/.test(await daemon.innerText()));
    expect(await daemon.getByText('Up', { exact: true }).count()).toBe(1);
    expect(await daemon.getByRole('list').innerText()).toContain('up');
    const readiness = await page.getByRole('region', { name: 'Readiness' }).innerText();
    expect(readiness).toMatch(/Ready[\s\S]*grpc[\s\S]*daemon[\s\S]*sockets/);
    await shows('the slow consumer', async () =>
      (await column(page, 'Mailboxes with the fullest queues', 'Mailbox')).join().includes('#slow#'),
    );
    const [queue] = await column(page, 'Mailboxes with the fullest queues', 'Queue');
    expect(queue).toMatch(/9\d of 100 events/);
    expect(await column(page, 'Mailboxes with the fullest queues', 'Client')).toEqual(['tcp']);
    await shows('the end', async () =>
      (await column(page, 'Recent problems', 'Reason and details')).join().includes('LEASE_EXPIRED'),
    );
    const ended = page.locator('tr', { hasText: 'LEASE_EXPIRED' });
    expect(await ended.innerText()).toContain('#expired#');
    expectClean();
  });

  it('shows mailboxes, groups, events and the configuration', async () => {
    const sidecar = await startSecured({ GRPC_TOKENS: BILLING, MAILBOX_LEASE_DEFAULT: '25s' });
    const client = sidecar.client({ token: BILLING });
    const first = await client.connect({ privateName: 'first' });
    const second = await client.connect({ privateName: 'second' });
    for (const mailbox of [first, second]) await mailbox.join('orders', { awaitView: true });
    await failure(sidecar.client({ token: 'wrong-0123456789abcdef' }).connect());

    const { page, expectClean } = await visit(sidecar.admin, 'mailboxes');
    await page.getByText('1–2 of 2').waitFor();
    const row = page.locator('tbody tr', { hasText: '#first#' });
    expect(await row.innerText()).toMatch(/token:[0-9a-f]{8}…[\s\S]*OPEN[\s\S]*lease 25 s[\s\S]*orders/);
    await row.getByRole('button', { name: 'Details of m1' }).click();
    await page.getByText(/token:[0-9a-f]{64}/).waitFor();
    expect(await page.locator('.mailbox-details canvas').count()).toBe(1);

    await page.getByRole('link', { name: 'Groups', exact: true }).click();
    await shows('the members', async () => {
      const [members = ''] = await column(page, 'Groups', 'Members');
      return /2[\s\S]*#first#[\s\S]*#second#/.test(members);
    });
    expect(await column(page, 'Groups', 'Last change')).toEqual([
      expect.stringMatching(/JOIN[\s\S]*#second#/),
    ]);

    await page.getByRole('link', { name: 'Events', exact: true }).click();
    await page.getByText('CREDENTIAL_INVALID').waitFor();
    await page.getByLabel('Kind').selectOption('mailbox-connected');
    expect(await column(page, 'Events', 'Event')).toEqual(['mailbox connected', 'mailbox connected']);
    await page.getByLabel(/Event contains/).fill('#second#');
    await shows('one event', async () => (await column(page, 'Events', 'Event')).length === 1);

    await page.getByRole('link', { name: 'Configuration', exact: true }).click();
    await page.getByLabel('Without defaults').check();
    const lease = page.locator('tr', { hasText: 'mailbox.leaseDefault' });
    expect(await lease.innerText()).toMatch(/25s[\s\S]*environment SPREAD_SIDECAR_MAILBOX_LEASE_DEFAULT/);
    expect(await page.locator('tr', { hasText: 'grpc.tokens' }).innerText()).toContain('[redacted]');
    expect(await page.content()).not.toContain(BILLING);
    for (const name of ['/metrics', '/readyz', '/livez', '/status.json'])
      expect(await page.getByRole('link', { name, exact: true }).count()).toBe(1);
    expectClean();
  });

  it('refreshes only the visible view, and stops while it is paused or hidden', async () => {
    const sidecar = await startSecured({});
    const client = sidecar.client();
    const { page, requests, expectClean } = await visit(sidecar.admin, 'mailboxes', { hasTestClock: true });
    await page.getByText('No mailbox is open.').waitFor();
    await client.connect({ privateName: 'later' });
    await page.getByText('#later#').waitFor();
    const paths = () => new Set(requests.map((request) => request.split('?')[0]));
    expect(paths()).not.toContain('/groups.json');
    expect(paths()).not.toContain('/events.json');

    await page.getByRole('link', { name: 'Groups', exact: true }).click();
    await page.getByText('No mailbox is in a group.').waitFor();
    requests.length = 0;
    await until(() => requests.filter((request) => request === '/status.json').length >= 2, {
      timeoutMs: 10_000,
      what: 'two refreshes',
    });
    expect(paths()).not.toContain('/mailboxes.json');

    /** Checks that no refresh follows within a minute. */
    const expectQuiet = async (what: string) => {
      await page.waitForLoadState('networkidle');
      requests.length = 0;
      await page.clock.fastForward(60_000);
      await page.evaluate(() => fetch('/livez').then((response) => response.text()));
      expect(requests, what).toEqual(['/livez']);
    };
    await page.getByRole('button', { name: 'Pause refresh' }).click();
    await expectQuiet('while the page is paused');
    // A paused page loads what the user asks for.
    await page.getByRole('link', { name: 'Mailboxes', exact: true }).click();
    await page.getByText('#later#').waitFor();
    await expectQuiet('while the page is still paused');
    await page.getByRole('button', { name: 'Resume refresh' }).click();
    await until(() => requests.includes('/status.json'), { what: 'a refresh at once' });

    const hide = (isHidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, isHidden);
    await hide(true);
    await expectQuiet('while the tab is hidden');
    await hide(false);
    await until(() => requests.includes('/status.json'), { what: 'a refresh of the visible tab' });
    expectClean();
  });

  it('pages, sorts and filters 1,000 mailboxes on the sidecar', async () => {
    const sidecar = await startSecured({ MAILBOX_MAX_MAILBOXES: '1000', EMBEDDED_MAX_SESSIONS: '1100' });
    const client = sidecar.client();
    const mailboxes: Promise<Mailbox>[] = [];
    for (let at = 0; at < 1000; at++) {
      mailboxes.push(client.connect({ privateName: `m${at}` }));
      if (at % 50 === 49) await Promise.all(mailboxes);
    }
    const { page, requests, expectClean } = await visit(sidecar.admin, 'mailboxes?sort=displayId');
    const names = async () =>
      (await column(page, 'Mailboxes', 'Mailbox')).map((text) => /#(m\d+)#/.exec(text)?.[1]);
    await page.getByText('1–25 of 1,000').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('26–50 of 1,000').waitFor();
    await page.getByRole('button', { name: 'Last' }).click();
    await page.getByText('976–1,000 of 1,000').waitFor();
    expect(await page.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'First' }).click();
    await page.getByLabel('Rows per page').selectOption('100');
    await page.getByText('1–100 of 1,000').waitFor();

    const header = page.getByRole('columnheader', { name: /Mailbox/ });
    const sort = page.getByRole('button', { name: 'Sort by private group' });
    await sort.click();
    await shows('the order', async () => (await names())[1] === 'm1');
    expect(await header.getAttribute('aria-sort')).toBe('ascending');
    await sort.click();
    await shows('the reverse order', async () => (await names())[0] === 'm999');
    expect(await header.getAttribute('aria-sort')).toBe('descending');

    await page.getByLabel(/Private group or client contains/).fill('#m12');
    await page.getByText('1–11 of 11').waitFor();
    expect((await names())[0]).toBe('m129');
    await page.getByLabel(/Private group or client contains/).fill('no such mailbox');
    await page.getByText('No mailbox matches the filter.').waitFor();
    const limits = requests.map((request) => new URLSearchParams(request.split('?')[1]).get('limit'));
    expect(limits.filter((limit) => Number(limit) > 100)).toEqual([]);
    // The address contains the settings.
    await page.reload();
    await page.getByText('No mailbox matches the filter.').waitFor();
    expectClean();
  });

  it('can be used with the keyboard', async () => {
    const sidecar = await startSecured({});
    await sidecar.client().connect({ privateName: 'one' });
    const { page, expectClean } = await visit(sidecar.admin, 'mailboxes');
    await page.getByText('#one#').waitFor();
    const focused = () =>
      page.evaluate(() => {
        const element = document.activeElement!;
        // After the last element, the browser's own controls get the focus.
        if (element === document.body) return undefined;
        const name = element.ariaLabel ?? element.textContent.trim();
        return { name: name || element.tagName, outline: getComputedStyle(element).outlineStyle };
      });
    const seen: string[] = [];
    for (;;) {
      await page.keyboard.press('Tab');
      const element = await focused();
      if (element === undefined || seen.length > 50) break;
      seen.push(element.name);
      expect(element).not.toMatchObject({ outline: 'none' });
    }
    const expected = [
      'Skip to the content',
      'Pause refresh',
      'Overview',
      'Mailboxes',
      'Sort by private group',
    ];
    expect(seen).toEqual(
      expect.arrayContaining([...expected, 'INPUT', 'Sort by events', 'Details of m1', '/metrics']),
    );
    await page.getByRole('button', { name: 'Sort by events' }).focus();
    await page.keyboard.press('Enter');
    const header = page.getByRole('columnheader', { name: /Queue/ });
    await shows('the order', async () => (await header.getAttribute('aria-sort')) === 'ascending');
    await page.getByRole('button', { name: 'Details of m1' }).focus();
    await page.keyboard.press('Space');
    await page.locator('.mailbox-details').waitFor();
    await page.getByRole('link', { name: 'Events', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Events' }).waitFor();
    expectClean();
  });

  it.each(['light', 'dark'] as const)('is readable in %s mode, at 400 pixels too', async (scheme) => {
    const { sidecar } = await troubledSidecar();
    for (const view of ['overview', 'mailboxes', 'groups', 'events', 'configuration']) {
      const { page, expectClean } = await visit(sidecar.admin, view, { scheme, width: 400 });
      await page.locator('main td').first().waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(400);
      const { isDark, worst } = await page.evaluate(contrast);
      expect(isDark).toBe(scheme === 'dark');
      expect([view, worst.text, worst.ratio]).toEqual([view, worst.text, expect.any(Number)]);
      expect(worst.ratio, `the contrast of "${worst.text}" in ${view}`).toBeGreaterThanOrEqual(4.5);
      expectClean();
    }
  });

  it('shows hostile names as text', async () => {
    const sidecar = await startSecured({});
    const hostile = await sidecar.client().connect({ privateName: "<b>&'x" });
    const group = "<img/src=x&onerror='alert(1)'>";
    await hostile.join(group, { awaitView: true });
    for (const view of ['mailboxes', 'groups', 'events']) {
      const { page, expectClean } = await visit(sidecar.admin, view);
      await page.getByText("#<b>&'x#").first().waitFor();
      if (view !== 'events') await page.getByText(group, { exact: true }).waitFor();
      expect(await page.locator('main').locator('img, b:text-is("&\'x")').count()).toBe(0);
      expectClean();
    }
  });

  it('runs no other code and reaches no other host', async () => {
    const requests: string[] = [];
    const other = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.end();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const sidecar = await startSecured({});
    const { page } = await visit(sidecar.admin);
    await page.getByText('No queue is more than half full.').waitFor();
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    const outcome = await page.evaluate(async (foreign) => {
      const results: string[] = [];
      const attempt = async (name: string, run: () => unknown) => {
        try {
          await run();
          results.push(name);
        } catch {}
      };
      await attempt('fetch', () => fetch(foreign, { mode: 'no-cors' }));
      await attempt('markup', () => {
        document.body.innerHTML = '<p>injected</p>';
      });
      await attempt('inline handler', () => {
        document.body.setAttribute('onclick', 'document.title = "clicked"');
        document.body.click();
        if (document.title !== 'clicked') throw new Error('not run');
      });
      const image = document.createElement('img');
      await attempt(
        'image',
        () =>
          new Promise((resolve, reject) => {
            image.onload = resolve;
            image.onerror = reject;
            image.src = foreign;
          }),
      );
      return results;
    }, url);
    expect([outcome, requests]).toEqual([[], []]);
  });

  it('asks for the admin token, and stores it only in memory', async () => {
    const sidecar = await startSecured({ ADMIN_TOKEN: ADMIN, GRPC_TOKENS: BILLING });
    const { page, requests, expectClean } = await visit(sidecar.admin);
    const field = page.getByLabel('Admin token');
    await field.waitFor();
    // No rejected request that an alert could count.
    expect(requests.filter((request) => request.includes('.json'))).toEqual([]);
    expectClean();
    await field.fill('wrong-0123456789abcdef');
    await page.keyboard.press('Enter');
    await page.getByText('The sidecar rejected this token.').waitFor();
    await field.fill(ADMIN);
    await page.keyboard.press('Enter');
    await page.getByText('No queue is more than half full.').waitFor();
    const stored = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]),
    );
    expect(stored).not.toContain(ADMIN);
    expect(requests.join()).not.toContain(ADMIN);
    await page.reload();
    await field.waitFor();
  });

  it('says that the sidecar does not answer, and recovers', async () => {
    const sidecar = await startSecured({});
    const { page } = await visit(sidecar.admin);
    await page.getByText('No queue is more than half full.').waitFor();
    await page.context().setOffline(true);
    await page.getByText('The sidecar does not answer.').waitFor();
    await page.context().setOffline(false);
    await page.getByText('The sidecar does not answer.').waitFor({ state: 'hidden' });
  });
});

/** In the browser: the text with the lowest contrast to its background (WCAG 2, 1.4.3). */
function contrast() {
  const rgba = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = rgba(color).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element: Element | null): string => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((rgba(color)[3] ?? 1) === 1) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  let worst = { text: '', ratio: 21 };
  for (const element of document.querySelectorAll('main *, header *, nav *, footer *')) {
    const isDisabled = (element as HTMLButtonElement).disabled;
    const text = [...element.childNodes].find((node) => node.nodeType === 3 && node.textContent?.trim());
    if (!text || isDisabled || element.closest('.hidden, option')) continue;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(background(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst.ratio) worst = { text: text.textContent!.trim(), ratio };
  }
  return { isDark: luminance(background(document.body)) < 0.2, worst };
}
