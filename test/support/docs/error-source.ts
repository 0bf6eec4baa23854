import { readFileSync } from 'node:fs';
import type { status } from '@grpc/grpc-js';
import { parse } from 'yaml';

type StatusName = Exclude<keyof typeof status, 'OK'>;
type Retry = 'advised' | 'possible' | 'never';

export interface ReasonRow {
  readonly name: string;
  /** Not set for a reason of the client libraries. */
  readonly number?: number;
  readonly status: StatusName;
  readonly retry: Retry;
  readonly layer: 'mailbox' | 'grpc' | 'client' | 'none';
  readonly metadata: readonly string[];
  readonly sentence: string;
  readonly detail?: string;
  readonly client?: string;
  readonly action: string;
}

interface SpreadRow {
  readonly name: string;
  readonly number: number;
  readonly status: StatusName;
  readonly retry: Retry;
  readonly raised?: false;
  readonly sentence: string;
}

interface LimitRow {
  readonly name: string;
  readonly fixed?: true;
  readonly reason?: string;
  readonly answer?: string;
  readonly sentence: string;
}

interface ErrorSource {
  readonly metadata: Readonly<Record<string, string>>;
  readonly reasons: readonly ReasonRow[];
  readonly spread: readonly SpreadRow[];
  readonly limits: readonly LimitRow[];
}

const FILE = new URL('../../../proto/errors.yaml', import.meta.url);

/** The source of all errors. A unit test checks its structure. */
export const errorSource = parse(readFileSync(FILE, 'utf8')) as ErrorSource;

/** The reasons of the contract. */
export const contractReasons = errorSource.reasons.filter(({ number }) => number !== undefined);
