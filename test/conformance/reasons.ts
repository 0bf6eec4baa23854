import type { status } from '@grpc/grpc-js';
import { contractReasons, errorSource, type ReasonRow } from '../support/docs/error-source.js';
import type { Case } from './case-format.js';

type StatusName = keyof typeof status;

/** A failure of a call, as a sidecar responds, and the expected error of a client. */
interface Failure {
  readonly name: string;
  readonly code: StatusName;
  readonly reason?: string;
  readonly domain?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly retryDelayMs?: number;
  readonly expect: Readonly<Record<string, unknown>>;
}

const ofSidecar = ({ name, status: code, metadata, retry }: ReasonRow): Failure => {
  const retryDelayMs = retry === 'advised' ? 1500 : undefined;
  return {
    name: `the sidecar's reason ${name}`,
    code,
    reason: name,
    domain: 'spread-sidecar',
    metadata: Object.fromEntries(metadata.filter((key) => key !== 'outcome').map((key) => [key, `a ${key}`])),
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
    expect: {
      status: code,
      code: null,
      number: null,
      retryable: retryDelayMs !== undefined,
      retryDelayMs: retryDelayMs ?? null,
    },
  };
};

const ofSpread = ({ name, number, status: code }: (typeof errorSource.spread)[number]): Failure => ({
  name: `Spread's error ${name}`,
  code,
  reason: name,
  domain: 'spread.org',
  metadata: { spread_code: String(number) },
  expect: { status: code, code: name, number, retryable: false, retryDelayMs: null },
});

const OTHERS: readonly Failure[] = [
  {
    name: 'a reason of a later release',
    code: 'ABORTED',
    reason: 'NOT_YET_INVENTED',
    domain: 'spread-sidecar',
    metadata: { a: 'b' },
    expect: { status: 'ABORTED', code: null, number: null, retryable: false },
  },
  {
    name: "a name of Spread's in another domain",
    code: 'INTERNAL',
    reason: 'ILLEGAL_GROUP',
    domain: 'example.org',
    metadata: {},
    expect: { status: 'INTERNAL', code: null, number: null, retryable: false },
  },
  {
    name: 'advice when to try again',
    code: 'RESOURCE_EXHAUSTED',
    reason: 'RATE_LIMITED',
    domain: 'spread-sidecar',
    metadata: { limit: 'limits.maxCallsPerSecond' },
    retryDelayMs: 250,
    expect: { status: 'RESOURCE_EXHAUSTED', retryable: true, retryDelayMs: 250 },
  },
  {
    name: 'no details at all',
    code: 'PERMISSION_DENIED',
    expect: {
      status: 'PERMISSION_DENIED',
      reason: '',
      domain: '',
      code: null,
      number: null,
      retryable: false,
    },
  },
  {
    name: 'a transport that is away',
    code: 'UNAVAILABLE',
    expect: { status: 'UNAVAILABLE', reason: '', retryable: true, retryDelayMs: null },
  },
];

/** The outcomes of failed sends. */
const OUTCOMES: readonly (Failure & { readonly outcome: string })[] = [
  {
    name: 'said to be unknown',
    code: 'UNAVAILABLE',
    reason: 'CONNECTION_CLOSED',
    domain: 'spread.org',
    metadata: { outcome: 'unknown' },
    expect: {},
    outcome: 'unknown',
  },
  {
    name: 'said to be not sent',
    code: 'UNAVAILABLE',
    reason: 'DRAINING',
    metadata: { outcome: 'not-sent' },
    expect: {},
    outcome: 'not-sent',
  },
  {
    name: 'refused with a reason',
    code: 'INVALID_ARGUMENT',
    reason: 'FIELD_INVALID',
    expect: {},
    outcome: 'not-sent',
  },
  { name: 'a fault of the sidecar', code: 'INTERNAL', reason: 'INTERNAL', expect: {}, outcome: 'unknown' },
  { name: 'a transport that broke', code: 'UNAVAILABLE', expect: {}, outcome: 'unknown' },
  { name: 'refused without a reason', code: 'UNAUTHENTICATED', expect: {}, outcome: 'not-sent' },
];

/** Reasons with which a sidecar ends a mailbox or a Receive stream. */
const ENDS: readonly { readonly reason: string; readonly code: StatusName; readonly domain?: string }[] = [
  { reason: 'LEASE_EXPIRED', code: 'ABORTED' },
  { reason: 'QUEUE_OVERFLOW', code: 'RESOURCE_EXHAUSTED' },
  { reason: 'SLOW_CONSUMER', code: 'RESOURCE_EXHAUSTED' },
  { reason: 'DRAINING', code: 'UNAVAILABLE' },
  { reason: 'MAILBOX_DISCONNECTED', code: 'ABORTED' },
  { reason: 'RECEIVER_REPLACED', code: 'ABORTED' },
  { reason: 'SEQUENCE_NOT_RETAINED', code: 'OUT_OF_RANGE' },
  { reason: 'INTERNAL', code: 'INTERNAL' },
  { reason: 'CONNECTION_CLOSED', code: 'UNAVAILABLE', domain: 'spread.org' },
  { reason: 'ILLEGAL_SESSION', code: 'NOT_FOUND', domain: 'spread.org' },
];

/**
 * All reasons of the contract and all errors of Spread, as responses of a scripted server. A new row of
 * proto/errors.yaml adds a case.
 */
export function reasonCases(): Case[] {
  const failures = [...contractReasons.map(ofSidecar), ...errorSource.spread.map(ofSpread), ...OTHERS];
  return [...failures.map(joinCase), ...OUTCOMES.map(sendCase), ...ENDS.map(endCase)];
}

const common = { feature: 'Errors', rules: [], transports: ['tcp'], realDaemon: false, open: true } as const;

function joinCase({ name, expect, ...fault }: Failure): Case {
  const { reason = '', domain = '', metadata = {} } = fault;
  return {
    ...common,
    name: `An error: ${name}`,
    setup: { fault: { method: 'join', message: 'made to fail', ...fault } },
    steps: [
      { op: 'connect', args: { mailbox: 'a' } },
      {
        op: 'join',
        args: { mailbox: 'a', group: 'g' },
        error: { reason, domain, metadata, message: { $matches: 'made to fail' }, outcome: null, ...expect },
      },
    ],
  };
}

function sendCase({ name, outcome, expect: _, ...fault }: Failure & { readonly outcome: string }): Case {
  const domain = fault.reason === undefined ? undefined : (fault.domain ?? 'spread-sidecar');
  return {
    ...common,
    name: `The outcome of a send: ${name}`,
    setup: { fault: { method: 'multicast', message: 'made to fail', ...fault, domain } },
    steps: [
      { op: 'connect', args: { mailbox: 'a' } },
      { op: 'multicast', args: { mailbox: 'a', groups: ['g'] }, error: { status: fault.code, outcome } },
    ],
  };
}

function endCase({ reason, code, domain = 'spread-sidecar' }: (typeof ENDS)[number]): Case {
  const fault = {
    method: 'receive',
    message: 'made to end',
    code,
    reason,
    domain,
    metadata: { last_sequence: '0' },
  };
  const steps = [
    { op: 'connect', args: { mailbox: 'a' } },
    {
      op: 'receive',
      args: { mailbox: 'a' },
      expect: { events: [], timedOut: false, end: { status: code, reason, domain } },
    },
  ];
  return { ...common, name: `The end of receiving: ${reason}`, setup: { fault }, steps };
}
