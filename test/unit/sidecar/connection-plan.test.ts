import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../server/src/config/index.js';
import { openFilesLimit } from '../../../server/src/net/connection-budget.js';
import { planConnections } from '../../../server/src/sidecar/connection-plan.js';
import { planMemory } from '../../../server/src/sidecar/memory-plan.js';

const GIB = 1024 ** 3;
const MEMORY = { containerBytes: undefined, machineBytes: 16 * GIB, heapBytes: 4 * GIB };

const connection = () => new EventEmitter() as Socket;

describe('the connections of a process with a limit of 150 open files', () => {
  // 110 connections beside the other files: 27 of the admin port, 83 of clients and mailboxes.
  it('leave room for the admin port, for any number of clients and mailboxes', () => {
    let mailboxes = 40;
    const refused: unknown[] = [];
    const plan = planConnections(() => mailboxes, 150);
    plan.onRefused = (about) => refused.push(about);
    expect(plan.adminLimits).toEqual({ maxConnections: 27, keptConnections: 27, maxHttp2Connections: 14 });
    const open = Array.from({ length: 43 }, connection);
    expect(open.map((socket) => plan.admit(socket))).toEqual(open.map(() => true));
    expect(plan.admit(connection())).toBe(false);
    expect(refused).toEqual([{ peer: 'unix', openFiles: 150 }]);
    open[0]!.emit('close');
    expect(plan.admit(connection())).toBe(true);
    mailboxes = 39;
    expect(plan.admit(connection())).toBe(true);
    expect(plan.admit(connection())).toBe(false);
  });

  it.each([
    ['', '', 41],
    ['true', '', 27],
    ['', '500', 500],
  ])(
    'limits the number of mailboxes unless it is set: embedded daemon %j, set to %j',
    async (embedded, set, most) => {
      const { config } = await loadConfig({
        env: {
          ...(embedded ? { SPREAD_SIDECAR_EMBEDDED_DAEMON: embedded } : {}),
          ...(set ? { SPREAD_SIDECAR_MAILBOX_MAX_MAILBOXES: set } : {}),
        },
      });
      expect(planMemory(config, MEMORY, 150).bounds['mailbox.maxMailboxes']).toBe(most);
      expect(planMemory(config, MEMORY).bounds['mailbox.maxMailboxes']).toBe(set ? 500 : 1000);
    },
  );
});

it('an unknown or high limit of open files limits only the admin port', () => {
  const { adminLimits } = planConnections(() => 100_000, Number.POSITIVE_INFINITY);
  expect(adminLimits).toEqual({ maxConnections: 500, keptConnections: 200, maxHttp2Connections: 64 });
});

it('the limit of open files is that of this process', () => {
  const report = process.report.getReport() as unknown as {
    userLimits?: { open_files: { soft: number | string } };
  };
  const soft = Number(report.userLimits?.open_files.soft);
  expect(openFilesLimit()).toBe(Number.isNaN(soft) ? Number.POSITIVE_INFINITY : soft);
});
