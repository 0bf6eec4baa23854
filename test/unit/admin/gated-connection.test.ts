import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { GatedConnection, REQUEST_COST } from '../../../server/src/admin/gated-connection.js';
import { FairTurns } from '../../../server/src/timing/fair-turns.js';
import { until } from '../../support/until.js';

it('a first request with little work goes ahead of larger requests that have waited longer', async () => {
  const turns = new FairTurns(REQUEST_COST);
  const order: string[] = [];
  const open = (name: string, firstCost: number) => {
    const socket = new PassThrough();
    socket.write('GET / HTTP/1.1\r\n\r\n');
    const options = { turns, firstCost, onAnswered: () => {} };
    new GatedConnection(socket as unknown as Socket, options).on('data', () => order.push(name));
  };
  // No room is left in this turn, so that each request waits.
  turns.charge({}, 1000);
  for (const name of ['scrape 1', 'scrape 2', 'scrape 3']) open(name, REQUEST_COST);
  open('probe', 1);
  await until(() => order.length === 4);
  expect(order).toEqual(['probe', 'scrape 1', 'scrape 2', 'scrape 3']);
});
