import { expect, it } from 'vitest';
import { afterFailure } from '../../../../clients/typescript/src/rules/acknowledgement.js';
import {
  endsMailbox,
  endsStreamOnly,
  isIgnoredByDisconnect,
  isTransportFailure,
  mayPass,
} from '../../../../clients/typescript/src/rules/failures.js';
import { type ErrorExample, errorOf, readExamples } from './examples.js';

interface FailureExample {
  error: ErrorExample;
  tokenMayChange?: boolean;
  expect: object;
}

it.each(readExamples<FailureExample>('failures.json', ['error', 'expect'], ['tokenMayChange']))(
  '%s',
  (_, { error: example, tokenMayChange = false, expect: expected }) => {
    const error = errorOf(example);
    expect({
      transportFailure: isTransportFailure(error),
      mayPass: mayPass(error, tokenMayChange),
      endsStreamOnly: endsStreamOnly(error),
      mailboxEnded: endsMailbox(error),
      disconnectReturns: isIgnoredByDisconnect(error) ? false : 'error',
      acknowledgement: afterFailure(error, mayPass(error, tokenMayChange)),
    }).toEqual(expected);
  },
);
