import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { InspectedMailbox } from '../../../server/src/mailbox/registry/statistics.js';
import { groupsPage } from '../../../server/src/status/groups-page.js';
import { pageQuery } from '../../../server/src/status/query.js';
import { RecentRows, Rows } from '../../../server/src/status/recent-rows.js';
import { byText, rowsPage } from '../../../server/src/status/rows-page.js';
import { sortInSlices } from '../../../server/src/status/slices.js';
import { fieldsOf } from '../../support/docs/status-page.js';

interface Row {
  readonly name: string;
  readonly size: number;
}

const ORDERS = {
  name: (a: Row, b: Row) => byText(a.name, b.name),
  size: (a: Row, b: Row) => a.size - b.size,
};

function pages(rows: readonly Row[], fields: (row: Row) => object = (row) => row) {
  const make = vi.fn<() => Promise<Rows<Row>>>(async () => new Rows(rows, ORDERS));
  const recent = new RecentRows(make);
  const ask = async (query: string) =>
    fieldsOf<{ total: number; nextOffset: number | null; rows: Row[] }>(
      await rowsPage(recent, pageQuery(new URLSearchParams(query), Object.keys(ORDERS)), {
        list: 'rows',
        texts: ({ name }) => [name],
        fields,
      }),
    );
  return { ask, make };
}

const rows = Array.from({ length: 2500 }, (_, at) => ({ name: `n${at % 10}`, size: (at * 7919) % 2500 }));

describe('a page of rows', () => {
  it('sorts in both directions', async () => {
    const { ask } = pages(rows);
    expect((await ask('sort=size&limit=3')).rows.map(({ size }) => size)).toEqual([0, 1, 2]);
    expect((await ask('sort=-size&limit=3')).rows.map(({ size }) => size)).toEqual([2499, 2498, 2497]);
  });

  it('filters, and counts the matches', async () => {
    const { ask } = pages(rows);
    expect(await ask('filter=n7&limit=1')).toMatchObject({
      total: 250,
      nextOffset: 1,
      rows: [{ name: 'n7' }],
    });
    expect(await ask('filter=none')).toMatchObject({ total: 0, nextOffset: null, rows: [] });
  });

  it('returns every row once over all pages', async () => {
    const { ask } = pages(rows);
    const sizes: number[] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const page = await ask(`sort=size&limit=999&offset=${offset}`);
      sizes.push(...page.rows.map(({ size }) => size));
      offset = page.nextOffset;
    }
    expect(sizes).toEqual(Array.from({ length: 2500 }, (_, at) => at));
  });

  it('is empty after the last row', async () => {
    const { ask } = pages(rows);
    expect(await ask('offset=2500')).toMatchObject({ total: 2500, nextOffset: null, rows: [] });
  });

  it('ends at about 1 MiB', async () => {
    const { ask } = pages(rows, (row) => ({ ...row, long: 'x'.repeat(10_000) }));
    const page = await ask('limit=1000');
    expect(page.rows.length).toBeGreaterThan(100);
    expect(page.rows.length).toBeLessThan(110);
    expect(page.nextOffset).toBe(page.rows.length);
  });

  it('shares one snapshot among the requests of a short time', async () => {
    const { ask, make } = pages(rows);
    await Promise.all([ask(''), ask('sort=size'), ask('filter=n1')]);
    expect(make).toHaveBeenCalledTimes(1);
  });

  it('uses a later snapshot after this time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    try {
      const { ask, make } = pages([]);
      await ask('');
      await vi.advanceTimersByTimeAsync(100);
      const later = ask('');
      await vi.advanceTimersByTimeAsync(1000);
      await later;
      expect(make).toHaveBeenCalledTimes(2);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a snapshot', () => {
  /** A snapshot whose creation takes this time. @returns how many snapshots were created after waits of these times */
  async function created(tookMs: number, waits: readonly number[]): Promise<number[]> {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const make = vi.fn(async () => {
      await new Promise((resolve) => setTimeout(resolve, tookMs));
      return new Rows<Row>([], ORDERS);
    });
    const recent = new RecentRows(make);
    const first = recent.get();
    await vi.advanceTimersByTimeAsync(tookMs);
    await first;
    const counts: number[] = [];
    for (const ms of waits) {
      await vi.advanceTimersByTimeAsync(ms);
      void recent.get();
      await vi.advanceTimersByTimeAsync(0);
      counts.push(make.mock.calls.length);
    }
    return counts;
  }

  it('is shared for ten times as long as its creation took', async () => {
    expect(await created(40, [399, 2])).toEqual([1, 2]);
  });

  it('is shared for at least 100 ms and at most 1 s', async () => {
    expect(await created(1, [98, 2])).toEqual([1, 2]);
    expect(await created(200, [999, 2])).toEqual([1, 2]);
  });
});

describe('sorting in slices', () => {
  it('equals the sort of the whole, also for equal items', async () => {
    const compare = (a: Row, b: Row) => byText(a.name, b.name);
    expect(await sortInSlices(rows, compare)).toEqual([...rows].sort(compare));
    expect(await sortInSlices([], compare)).toEqual([]);
  });
});

describe('the groups of many mailboxes', () => {
  it('let other work run, and have a bound', async () => {
    const mailbox = (at: number): InspectedMailbox => ({
      isLeaving: false,
      mailbox: {
        ageMs: 0,
        owner: 'tcp',
        daemon: '4803',
        snapshot: () => {
          throw new Error('not needed');
        },
        *memberships() {
          for (let group = 0; group < 1000; group++)
            yield { group: `g${at}-${group}`, view: undefined, viewedAtMs: 0 };
        },
      },
    });
    const all = Array.from({ length: 50 }, (_, at) => mailbox(at));
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const page = fieldsOf(await groupsPage(() => all)(new URLSearchParams('limit=1')));
    clearInterval(timer);
    expect(page).toMatchObject({ total: 20_000, complete: false, nextOffset: 1 });
    expect(turns).toBeGreaterThan(0);
  });
});
