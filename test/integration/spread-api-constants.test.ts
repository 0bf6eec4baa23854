import * as client from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { SpreadCode } from '../../server/src/spread/wire/index.js';
import { next, recordedMailbox, refused, world } from '../support/clients/spread-api.js';
import { apiRows, names } from '../support/docs/spread-api-page.js';

/** The number of a name in docs/spread-api.md. */
function written(name: string): number {
  const row = apiRows().find((candidate) => candidate.name === name);
  return Number(names(row?.cells.Value ?? row?.cells.Number ?? '')[0]);
}

describe('constants that applications use only as values', () => {
  it.each([
    ['DEFAULT_SPREAD_PORT', client.DEFAULT_SPREAD_PORT, 4803],
    ['SPREAD_VERSION', client.SPREAD_VERSION, 0x05000000],
    ['MAX_PROC_NAME', client.MAX_PROC_NAME, 20],
    ['ACCEPT_SESSION', client.ACCEPT_SESSION, 1],
  ])('%s: is exported with the value of the page', (name, exported, value) => {
    expect(exported).toBe(value);
    expect(written(name)).toBe(value);
  });

  it.each([
    ['ILLEGAL_PARAM', client.ILLEGAL_PARAM, -24],
    ['WOULD_BLOCK', client.WOULD_BLOCK, -25],
    ['ILLEGAL_MESSAGE_TYPE', client.ILLEGAL_MESSAGE_TYPE, -26],
    ['ILLEGAL_STATE', client.ILLEGAL_STATE, -27],
    ['ILLEGAL_RECEIVERS', client.ILLEGAL_RECEIVERS, -28],
  ] as const)('%s: has its number and its name', (name, exported, value) => {
    expect([exported, written(name), SpreadCode[name]]).toEqual([value, value, value]);
    expect(client.spreadErrorName(value)).toBe(name);
  });
});

describe('constants that limit arguments', () => {
  it.each([
    ['LOW_PRIORITY', client.LOW_PRIORITY],
    ['MEDIUM_PRIORITY', client.MEDIUM_PRIORITY],
  ])('%s: is accepted, and has no effect', async (name, priority) => {
    const { spread } = await world();
    expect((await spread.connect({ privateName: 'a', priority })).privateGroup).toBe('#a#localhost');
    expect(written(name)).toBe(priority);
  });

  it('HIGH_PRIORITY: is rejected, as SP_connect rejects it', async () => {
    const { spread } = await world();
    const error = await refused(spread.connect({ priority: client.HIGH_PRIORITY }));
    expect(error).toMatchObject({ reason: 'LIMIT_OUT_OF_RANGE', statusName: 'INVALID_ARGUMENT' });
  });

  it('MAX_GROUP_NAME: is one more than the longest name of a group', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    const group = 'g'.repeat(client.MAX_GROUP_NAME - 1);
    expect((await mailbox.join(group, { awaitView: true }))?.group).toBe(group);
    expect((await refused(mailbox.join(`${group}g`))).code).toBe('ILLEGAL_GROUP');
  });

  it('MAX_PRIVATE_NAME: is the length of the longest private name', async () => {
    const { spread } = await world();
    const privateName = 'n'.repeat(client.MAX_PRIVATE_NAME);
    expect((await spread.connect({ privateName })).privateGroup).toBe(`#${privateName}#localhost`);
    expect((await refused(spread.connect({ privateName: `${privateName}n` }))).code).toBe(
      'REJECT_ILLEGAL_NAME',
    );
  });
});

describe('number types', () => {
  it('int16: is the range of a message type', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    for (const type of [-32_769, 32_768, 0.5, Number.NaN])
      expect((await refused(mailbox.multicast(1, 'room', '', type))).code).toBe('ILLEGAL_MESSAGE');
    for (const type of [-32_768, 32_767]) await mailbox.multicast(1, mailbox.privateGroup, '', type);
    expect((await next(mailbox, 'regular')).messageType).toBe(-32_768);
    expect((await next(mailbox, 'regular')).messageType).toBe(32_767);
  });

  it('int32: words of a group ID; the ID of a daemon is an unsigned address', async () => {
    const mailbox = await recordedMailbox('81', 'a3');
    await next(mailbox, 'transitional');
    const { groupId } = await next(mailbox, 'view');
    expect(groupId.daemonId).toBe(0xef46226e);
    expect([groupId.time > 0, groupId.index]).toEqual([true, 1]);
  });
});
