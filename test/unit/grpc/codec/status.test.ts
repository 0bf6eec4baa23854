import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { EdgeError, type SidecarReason } from '../../../../server/src/grpc/codec/edge-error.js';
import { endFailure, type Failure, FailureTranslator } from '../../../../server/src/grpc/codec/failure.js';
import { drainingStatus, type SentStatus, statusError } from '../../../../server/src/grpc/codec/status.js';
import { describeTransportStatus } from '../../../../server/src/grpc/transport/transport-status.js';
import { MailboxError } from '../../../../server/src/mailbox/sidecar-error.js';
import { SpreadError } from '../../../../server/src/spread/spread-error.js';
import type { SpreadCodeName } from '../../../../server/src/spread/wire/index.js';
import { contractReasons, errorSource } from '../../../support/docs/error-source.js';
import { rpcErrorOf } from '../../../support/sidecars/rpc-error.js';

function translator() {
  const defects: { error: unknown; logId: string }[] = [];
  return { defects, failures: new FailureTranslator((error, logId) => defects.push({ error, logId })) };
}
const leave = (failure: Failure) => rpcErrorOf(statusError(failure));

describe('a Spread error', () => {
  it('has its code, number, field and limit, readable with google.rpc', () => {
    const { failures } = translator();
    const error = new SpreadError('ILLEGAL_GROUP', 'groups[2] is empty', {
      field: 'groups[2]',
      bound: '1..31 bytes',
    });
    expect(leave(failures.of(error))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'groups[2] is empty',
      message: 'groups[2] is empty',
      info: {
        reason: 'ILLEGAL_GROUP',
        domain: 'spread.org',
        metadata: {
          spread_code: '-14',
          spread_error: 'ILLEGAL_GROUP',
          field: 'groups[2]',
          bound: '1..31 bytes',
        },
      },
      retryDelayMs: undefined,
    });
  });

  it.each(errorSource.spread.map((row) => [row.name, row] as const))(
    '%s has the status of the table',
    (name, row) => {
      const { failures, defects } = translator();
      const failure = leave(failures.of(new SpreadError(name as SpreadCodeName, 'a sentence')));
      expect(status[failure.code]).toBe(row.status);
      if (row.status === 'INTERNAL') {
        expect(defects).toHaveLength(1);
        expect(failure.info?.reason).toBe('INTERNAL');
      } else {
        expect(failure.info?.metadata.spread_code).toBe(String(row.number));
        expect(failure.retryDelayMs !== undefined).toBe(row.retry === 'advised');
      }
    },
  );
});

describe('an error of the sidecar', () => {
  it('has its reason and metadata', () => {
    const { failures } = translator();
    const error = new MailboxError('SEQUENCE_NOT_RETAINED', 'gone', {
      oldest_retained_sequence: '5',
      last_sequence: '9',
    });
    expect(leave(failures.of(error))).toMatchObject({
      code: status.OUT_OF_RANGE,
      info: {
        reason: 'SEQUENCE_NOT_RETAINED',
        domain: 'spread-sidecar',
        metadata: { oldest_retained_sequence: '5', last_sequence: '9' },
      },
    });
  });

  it('advises to retry when it is UNAVAILABLE', () => {
    const { failures } = translator();
    expect(leave(failures.of(new MailboxError('DRAINING', 'the sidecar is shutting down')))).toMatchObject({
      code: status.UNAVAILABLE,
      info: { reason: 'DRAINING' },
      retryDelayMs: 1000,
    });
  });

  it.each(contractReasons.filter(({ layer }) => layer !== 'none').map((row) => [row.name, row] as const))(
    '%s has the status and the advice of the table',
    (name, row) => {
      const { failures, defects } = translator();
      const failure = leave(failures.of(new EdgeError(name as SidecarReason, 'a sentence')));
      expect(failure).toMatchObject({ info: { reason: name, domain: 'spread-sidecar' } });
      expect(status[failure.code]).toBe(row.status);
      expect(failure.retryDelayMs !== undefined).toBe(row.retry === 'advised');
      expect(defects).toEqual([]);
    },
  );

  it('does not if a drain cancelled the call: it may have been executed', () => {
    expect(rpcErrorOf(drainingStatus())).toMatchObject({
      code: status.UNAVAILABLE,
      info: { reason: 'DRAINING', metadata: { outcome: 'unknown' } },
      retryDelayMs: undefined,
    });
  });
});

describe('an unexpected error', () => {
  it('has a fixed message; the log has the cause under the same ID', () => {
    const { failures, defects } = translator();
    const cause = new TypeError('cannot read secrets of undefined');
    const failure = leave(failures.of(cause));
    expect(failure).toMatchObject({
      code: status.INTERNAL,
      info: { reason: 'INTERNAL', domain: 'spread-sidecar' },
    });
    expect(JSON.stringify(failure)).not.toContain('secrets');
    expect(failure.info?.metadata.log_id).toMatch(/^[0-9a-f]{16}$/);
    expect(defects).toEqual([{ error: cause, logId: failure.info?.metadata.log_id }]);
  });
});

describe('text in trailers', () => {
  it('is limited', () => {
    const failure = {
      code: status.INVALID_ARGUMENT,
      sentence: 'x'.repeat(10_000),
      reason: 'FIELD_INVALID',
      domain: 'spread-sidecar',
      metadata: { field: 'y'.repeat(10_000) },
    };
    const { details, info } = leave(failure);
    expect(details).toHaveLength(500);
    expect(info?.metadata.field).toHaveLength(200);
  });

  it('is well-formed for any text of a caller', () => {
    const failure = {
      code: status.INTERNAL,
      sentence: 'a\ud800b\u{1f600}',
      reason: 'X',
      domain: 'd',
      metadata: { field: '\udfff' },
    };
    const { details, message, info } = leave(failure);
    expect(details).toBe('a\ufffdb\u{1f600}');
    expect(message).toBe(details);
    expect(info?.metadata.field).toBe('\ufffd');
    expect(() => encodeURI(details)).not.toThrow();
  });
});

describe('the end of a mailbox', () => {
  it.each([
    ['LEASE_EXPIRED', status.ABORTED, 'spread-sidecar', 'LEASE_EXPIRED'],
    ['QUEUE_OVERFLOW', status.RESOURCE_EXHAUSTED, 'spread-sidecar', 'QUEUE_OVERFLOW'],
    ['SLOW_CONSUMER', status.RESOURCE_EXHAUSTED, 'spread-sidecar', 'SLOW_CONSUMER'],
    ['DRAINING', status.UNAVAILABLE, 'spread-sidecar', 'DRAINING'],
    ['RECEIVER_REPLACED', status.ABORTED, 'spread-sidecar', 'RECEIVER_REPLACED'],
    ['CONNECTION_CLOSED', status.UNAVAILABLE, 'spread.org', 'CONNECTION_CLOSED'],
  ] as const)('%s', (reason, code, domain, reported) => {
    const failure = endFailure({ reason, lastSequence: 12, message: 'why' });
    expect(failure && leave(failure)).toMatchObject({
      code,
      details: 'why',
      info: { reason: reported, domain, metadata: { last_sequence: '12' } },
      retryDelayMs: undefined,
    });
  });

  it('is no failure when it was requested', () => {
    expect(endFailure({ reason: 'DISCONNECTED', lastSequence: 3, message: 'bye' })).toBeUndefined();
  });
});

describe('a status that grpc-js created', () => {
  const describeStatus = (given: SentStatus) => describeTransportStatus(given, { maxRequestBytes: 1000 });

  it('gets details when the deadline passed, and is unchanged otherwise', () => {
    const passed = describeStatus({
      code: status.DEADLINE_EXCEEDED,
      details: 'Deadline exceeded',
      metadata: null,
    });
    expect(rpcErrorOf({ ...passed.status })).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      info: { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'unknown' } },
    });
    for (const details of ['Invalid grpc-timeout value "x"', 'Failed to decompress message']) {
      const given = describeStatus({ code: status.INTERNAL, details, metadata: null });
      expect(rpcErrorOf({ ...given.status })).toMatchObject({
        code: status.INVALID_ARGUMENT,
        info: { reason: 'MALFORMED_REQUEST' },
      });
    }
    const other = { code: status.RESOURCE_EXHAUSTED, details: 'something else', metadata: new Metadata() };
    expect(describeStatus(other)).toEqual({ status: other });
  });

  it('names its limit', () => {
    const given = {
      code: status.RESOURCE_EXHAUSTED,
      details: 'Received message larger than max (1001 vs 1000)',
    };
    const { status: described, limit } = describeStatus(given);
    expect(limit).toBe('grpc.maxReceiveMessageBytes');
    expect(rpcErrorOf(described)).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      info: { reason: 'REQUEST_TOO_LARGE', metadata: { bound: '0 to 1000 bytes', limit } },
    });
  });

  it('keeps the details of a handler', () => {
    const { failures } = translator();
    const error = new MailboxError('DEADLINE_EXCEEDED', 'over', { outcome: 'not-sent' });
    const given = statusError(failures.of(error));
    expect(describeStatus(given)).toEqual({ status: given });
  });
});
