import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { SpreadError } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { toSpreadError } from '../../../clients/typescript/src/rich-status.js';
import { type Fault, toServiceError } from '../../support/clients/fake-mailbox-service.js';

const from = (fault: Fault, options = {}) => toSpreadError(toServiceError(fault) as ServiceError, options);

describe('SpreadError', () => {
  it("has Spread's code and number for Spread's errors", () => {
    const metadata = { spread_code: '-14', field: 'group', bound: '1 to 31 characters' };
    const error = from({
      code: status.INVALID_ARGUMENT,
      message: 'no',
      reason: 'ILLEGAL_GROUP',
      domain: 'spread.org',
      metadata,
    });
    expect(error).toBeInstanceOf(SpreadError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'SpreadError',
      message: 'no',
      code: 'ILLEGAL_GROUP',
      number: -14,
      status: 3,
      statusName: 'INVALID_ARGUMENT',
      reason: 'ILLEGAL_GROUP',
      domain: 'spread.org',
      metadata,
      retryable: false,
      outcome: undefined,
    });
    expect(error.cause).toBeUndefined();
  });

  it("shows Spread's code or the reason as a string", () => {
    const taken = new SpreadError('the name is in use', {
      status: status.ALREADY_EXISTS,
      reason: 'REJECT_NOT_UNIQUE',
      domain: 'spread.org',
    });
    expect(String(taken)).toBe('SpreadError: REJECT_NOT_UNIQUE (-6): the name is in use');
    const draining = new SpreadError('it drains', { status: status.UNAVAILABLE, reason: 'DRAINING' });
    expect(`${draining}`).toBe('SpreadError: DRAINING: it drains');
    expect(String(new SpreadError('no', { status: status.INTERNAL }))).toBe('SpreadError: INTERNAL: no');
  });

  it('has the ServiceError as its cause without a response of the sidecar', () => {
    expect(from({ code: status.UNKNOWN }).cause).toMatchObject({ code: 2 });
  });

  it.each([
    ['private_name has 11 bytes', 'private_name', 'privateName has 11 bytes'],
    ['queue.soft_limit.time is 0', 'queue.soft_limit.time', 'queue.softLimit.timeMs is 0'],
    ['lease is out of range', 'lease', 'leaseMs is out of range'],
    ['daemon has 300 bytes', 'daemon', 'spreadName has 300 bytes'],
    ['daemons differ', 'daemon', 'daemons differ'],
    ['the private_name is taken', 'private_name', 'the private_name is taken'],
  ])('names the option of the caller: %s', (message, field, expected) => {
    const error = from({
      code: status.INVALID_ARGUMENT,
      message,
      reason: 'FIELD_INVALID',
      metadata: { field },
    });
    expect(error).toMatchObject({ message: expected, metadata: { field } });
  });

  it("has a reason and no code for the sidecar's own errors", () => {
    const error = from({ code: status.ABORTED, reason: 'LEASE_EXPIRED' });
    expect(error).toMatchObject({ reason: 'LEASE_EXPIRED', code: undefined, number: undefined });
  });

  it('is retryable if the sidecar gives a retry delay, and contains it', () => {
    const error = from({ code: status.UNAVAILABLE, reason: 'X', retryDelayMs: 250 });
    expect(error).toMatchObject({ retryable: true, retryDelayMs: 250 });
    expect(from({ code: status.UNAVAILABLE, reason: 'CONNECTION_CLOSED' }).retryable).toBe(false);
    expect(from({ code: status.UNAVAILABLE }).retryable).toBe(true);
  });

  it.each<[string, Fault, string]>([
    ['a broken connection', { code: status.UNAVAILABLE }, 'unknown'],
    ['a deadline', { code: status.DEADLINE_EXCEEDED }, 'unknown'],
    ['a cancelled call', { code: status.CANCELLED }, 'unknown'],
    [
      'a refusal',
      { code: status.INVALID_ARGUMENT, reason: 'ILLEGAL_GROUP', domain: 'spread.org' },
      'not-sent',
    ],
    ['a full queue', { code: status.RESOURCE_EXHAUSTED, reason: 'SEND_QUEUE_FULL' }, 'not-sent'],
    ['a lost daemon', { code: status.UNAVAILABLE, reason: 'X', metadata: { outcome: 'unknown' } }, 'unknown'],
    [
      'a withdrawn message',
      { code: status.DEADLINE_EXCEEDED, reason: 'X', metadata: { outcome: 'not-sent' } },
      'not-sent',
    ],
    ['a defect', { code: status.INTERNAL, reason: 'INTERNAL' }, 'unknown'],
  ])('reports the outcome of a send after %s', (_, fault, outcome) => {
    expect(from(fault, { send: true }).outcome).toBe(outcome);
  });

  it('is valid without readable details', () => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from([0xff, 0xff, 0xff]));
    const error = toSpreadError({ code: 14, details: 'gone', metadata, message: '', name: '' });
    expect(error).toMatchObject({ message: 'gone', status: 14, reason: '', metadata: {} });
  });
});
