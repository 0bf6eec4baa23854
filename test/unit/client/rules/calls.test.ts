import { Metadata, status } from '@grpc/grpc-js';
import type { StatusName } from 'spread-sidecar-client';
import { ErrorInfo, RetryInfo, RichStatus } from 'spread-sidecar-proto';
import { expect, it } from 'vitest';
import { toSpreadError } from '../../../../clients/typescript/src/rich-status.js';
import { checkMembers, readExamples } from './examples.js';

interface CallExample {
  status: StatusName;
  info: { reason: string; metadata: Record<string, string> } | null;
  hasRetryInfo: boolean;
  details?: 'malformed';
  expect: object;
}

const MALFORMED = Buffer.from([0xff, 0xff, 0xff]);

function detailsOf({ status: name, info, hasRetryInfo }: CallExample): Buffer | undefined {
  const details = [];
  if (info) {
    checkMembers(info, ['reason', 'metadata']);
    const { reason, metadata } = info;
    const value = { reason, domain: 'spread-sidecar', metadata: new Map(Object.entries(metadata)) };
    details.push({ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: encode(ErrorInfo, value) });
  }
  if (hasRetryInfo) {
    const value = { retryDelay: { seconds: 1n, nanos: 0 } };
    details.push({ typeUrl: 'type.googleapis.com/google.rpc.RetryInfo', value: encode(RetryInfo, value) });
  }
  if (details.length === 0) return undefined;
  return encode(RichStatus, { code: status[name], message: '', details });
}

function encode<T>(type: { encode(value: T): { finish(): Uint8Array } }, value: T): Buffer {
  return Buffer.from(type.encode(value).finish());
}

it.each(readExamples<CallExample>('calls.json', ['status', 'info', 'hasRetryInfo', 'expect'], ['details']))(
  '%s',
  (_, example) => {
    expect([undefined, 'malformed']).toContain(example.details);
    expect(status).toHaveProperty(example.status);
    const bytes = example.details === 'malformed' ? MALFORMED : detailsOf(example);
    const metadata = new Metadata();
    if (bytes) metadata.set('grpc-status-details-bin', bytes);
    const given = { code: status[example.status], details: 'made to fail', metadata, message: '', name: '' };
    const { retryable, outcome, reason } = toSpreadError(given, { send: true });
    expect({ retryable, outcome, reason }).toEqual(example.expect);
  },
);
