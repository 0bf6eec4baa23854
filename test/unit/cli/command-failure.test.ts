import { status } from '@grpc/grpc-js';
import { SpreadError } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { CommandFailure, describeFailure } from '../../../server/src/cli/command-failure.js';
import { ConfigError } from '../../../server/src/config/index.js';
import { ListenError } from '../../../server/src/net/listen-error.js';

const spread = (code: status, reason = '', domain = 'spread-sidecar') =>
  new SpreadError('the sentence', { status: code, reason, domain });

describe('the exit code of a failure', () => {
  it.each<[string, unknown, number]>([
    ['no listener', spread(status.UNAVAILABLE), 3],
    ['the daemon is not there', spread(status.UNAVAILABLE, 'COULD_NOT_CONNECT', 'spread.org'), 3],
    ['the daemon went', spread(status.UNAVAILABLE, 'CONNECTION_CLOSED', 'spread.org'), 5],
    ['the sidecar drains', spread(status.UNAVAILABLE, 'DRAINING'), 5],
    ['the lease is over', spread(status.ABORTED, 'LEASE_EXPIRED'), 5],
    ['the queue overflowed', spread(status.RESOURCE_EXHAUSTED, 'QUEUE_OVERFLOW'), 5],
    ['the receiver was too slow', spread(status.RESOURCE_EXHAUSTED, 'SLOW_CONSUMER'), 5],
    ['the mailbox is gone', spread(status.NOT_FOUND, 'ILLEGAL_SESSION', 'spread.org'), 5],
    ['the name is in use', spread(status.ALREADY_EXISTS, 'REJECT_NOT_UNIQUE', 'spread.org'), 4],
    ['the group is wrong', spread(status.INVALID_ARGUMENT, 'ILLEGAL_GROUP', 'spread.org'), 4],
    ['the daemon is not allowed', spread(status.PERMISSION_DENIED, 'DAEMON_NOT_ALLOWED'), 4],
    ['too many mailboxes', spread(status.RESOURCE_EXHAUSTED, 'TOO_MANY_MAILBOXES'), 4],
    ['there is no view', spread(status.NOT_FOUND, 'NO_VIEW'), 4],
    ['it took too long', spread(status.DEADLINE_EXCEEDED, 'DEADLINE_EXCEEDED'), 6],
    ['a defect', spread(status.INTERNAL, 'INTERNAL'), 1],
    [
      'several refusals',
      new AggregateError([spread(status.INVALID_ARGUMENT, 'ILLEGAL_GROUP')], 'refused'),
      4,
    ],
    ['the configuration', new ConfigError([{ option: 'x', where: 'flag --x', message: 'is wrong' }]), 2],
    ['a taken address', new ListenError('TAKEN', '127.0.0.1:1', 'taken', 'choose another'), 7],
    ['something else', new TypeError('x is not a function'), 1],
    ['not even an error', 'boo', 1],
    ['what was said before', new CommandFailure('said', 6), 6],
  ])('%s', (_, error, exitCode) => {
    expect(describeFailure(error).exitCode).toBe(exitCode);
  });
});

describe('the message of a failure', () => {
  it("has Spread's name and number", () => {
    const error = spread(status.ALREADY_EXISTS, 'REJECT_NOT_UNIQUE', 'spread.org');
    expect(describeFailure(error).message).toBe('the sentence (REJECT_NOT_UNIQUE, -6)');
    expect(describeFailure(spread(status.ABORTED, 'LEASE_EXPIRED')).message).toBe(
      'the sentence (LEASE_EXPIRED)',
    );
  });

  it('names the wrong flag', () => {
    const metadata = { field: 'private_name' };
    const error = new SpreadError('privateName "elevenchars" has 11 bytes; it must have at most 10 bytes', {
      status: status.INVALID_ARGUMENT,
      reason: 'REJECT_ILLEGAL_NAME',
      domain: 'spread.org',
      metadata,
    });
    expect(describeFailure(error).message).toBe(
      '--user "elevenchars" has 11 bytes; it must have at most 10 bytes (REJECT_ILLEGAL_NAME, -5)',
    );
  });

  it("names the argument and the flag instead of the contract's field", () => {
    const of = (field: string, message: string) =>
      describeFailure(
        new SpreadError(message, {
          status: status.INVALID_ARGUMENT,
          reason: 'FIELD_INVALID',
          metadata: { field },
        }),
      ).message;
    expect(of('groups[0]', 'groups[0] "a b" has the illegal byte 0x20')).toMatch(
      /^group "a b" has the illegal/,
    );
    expect(of('daemon', 'the daemon\'s Spread name "nowhere" must have')).toMatch(
      /^--spread-name "nowhere" must have/,
    );
  });

  it('explains a mailbox that the sidecar does not know, and what to do', () => {
    const message = 'the sidecar does not know the mailbox: the sidecar restarted; connect again';
    const error = new SpreadError(message, {
      status: status.NOT_FOUND,
      reason: 'ILLEGAL_SESSION',
      domain: 'spread.org',
    });
    expect(describeFailure(error).message).toBe(
      'the sidecar does not know the mailbox: the sidecar restarted; run the command again',
    );
  });

  it('reports when a message may have been sent', () => {
    const error = new SpreadError('late', { status: status.DEADLINE_EXCEEDED, outcome: 'unknown' });
    expect(describeFailure(error).message).toBe('late (DEADLINE_EXCEEDED); the message may have been sent');
  });

  it("contains the system's reason for an unreachable address", () => {
    const wrapped =
      'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ';
    const { message } = describeFailure(new SpreadError(wrapped, { status: status.UNAVAILABLE }));
    expect(message).toMatch(
      /^the sidecar cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:1; check that it runs there/,
    );
  });

  it('has the stack of an unexpected error', () => {
    expect(describeFailure(new TypeError('x is not a function')).message).toMatch(/TypeError.*\n\s+at /);
  });
});

describe('the message of a failed system call', () => {
  const system = (code: string, syscall: string, message = `${code}: reason, ${syscall}`) =>
    Object.assign(new Error(message), { code, syscall, errno: -1 });

  it('names the error and the limit', () => {
    const { message, exitCode } = describeFailure(system('EMFILE', 'open'));
    expect(message).toMatch(
      /^too many open files and connections \(EMFILE, open\); this process may open at most (\d+|unlimited): raise/,
    );
    expect(exitCode).toBe(1);
    expect(describeFailure(system('ENFILE', 'socket')).message).toContain('fs.file-max');
  });

  it('finds the cause of an error, and needs no stack', () => {
    const wrapped = new Error('it failed', { cause: system('EROFS', 'open', "EROFS: read-only, open '/x'") });
    expect(describeFailure(wrapped).message).toBe("a system call failed: EROFS: read-only, open '/x'");
  });
});
