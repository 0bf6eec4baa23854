import type { SpreadError } from 'spread-sidecar-client';
import { ConfigError } from '../config/mistakes.js';
import { ListenError } from '../net/listen-error.js';
import { TARGET_VARIABLE } from './connection/client-variables.js';
import { ExitCode } from './exit-codes.js';
import { systemErrorText } from './system-error.js';

/** The failure of a command: a message for the user, and the exit code. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';

  constructor(
    message: string,
    readonly exitCode: number,
    override readonly cause?: unknown,
  ) {
    super(message);
  }
}

/** The action that failed, for the message: "cannot send: …". */
export function describeFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (error instanceof ConfigError) return new CommandFailure(error.message, ExitCode.usage, error);
  if (error instanceof AggregateError && isClientError(error.errors[0]))
    return new CommandFailure(error.message, exitCodeOf(error.errors[0]), error);
  if (isClientError(error)) return new CommandFailure(sentenceOf(error), exitCodeOf(error), error);
  if (isListenError(error)) return new CommandFailure(error.message, ExitCode.cannotListen, error);
  const system = systemErrorText(error);
  if (system !== undefined) return new CommandFailure(system, ExitCode.failure, error);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CommandFailure(`unexpected error: ${text}`, ExitCode.failure, error);
}

/** Whether a daemon or the sidecar cannot listen on an address. */
export const isListenError = (error: unknown): error is ListenError => error instanceof ListenError;

// Checks the shape instead of the class: the package loads gRPC, which a command that fails early does not need.
const isClientError = (error: unknown): error is SpreadError =>
  error instanceof Error && error.name === 'SpreadError' && 'statusName' in error;

function sentenceOf(error: SpreadError): string {
  if (error.statusName === 'UNAVAILABLE' && error.reason === '')
    return `the sidecar cannot be reached: ${plainCause(error.message)}; check that it runs there (--target names the sidecar)`;
  if (error.reason === 'SIDECAR_UNREACHABLE' && 'cause' in error.metadata)
    return `${inTermsOfFlags(error)} (--target names the sidecar)`;
  if (error.reason === 'NOT_A_SIDECAR') return error.message;
  if (isOptionMistake(error))
    return error.metadata.field === 'target'
      ? `${inTermsOfFlags(error)} (from --target or ${TARGET_VARIABLE})`
      : inTermsOfFlags(error);
  if (error.reason === 'ILLEGAL_SESSION')
    return `${error.message.replace(/; connect again$/, '')}; run the command again`;
  const number = error.number === undefined ? '' : `, ${error.number}`;
  const name = error.reason || error.statusName;
  const doubt = error.outcome === 'unknown' ? '; the message may have been sent' : '';
  return `${inTermsOfFlags(error)} (${name}${number})${doubt}`;
}

/** Command-line flags by field of the contract, with the option names of the client package. */
const FLAGS: Readonly<Record<string, readonly [option: string, flag: string]>> = {
  target: ['target', '--target'],
  token: ['token', 'the token of --token-file'],
  private_name: ['privateName', '--user'],
  daemon: ['spreadName', '--spread-name'],
  message_type: ['messageType', '--type'],
  service_type: ['serviceType', '--service'],
};

/** The message with the user's flag in place of the client package's option. */
function inTermsOfFlags({ message, metadata }: SpreadError): string {
  const { field = '' } = metadata;
  const [option, flag] = /^groups\[\d+\]$/.test(field) ? [field, 'group'] : (FLAGS[field] ?? ['', '']);
  // The sidecar also uses this message for its own configuration, where no field is known.
  const sentence = field === 'daemon' ? message.replace(/^the daemon's Spread name /, `${option} `) : message;
  const named =
    option !== '' && sentence.startsWith(`${option} `) ? flag + sentence.slice(option.length) : sentence;
  return TLS_HINTS.reduce((text, [hint, withFlags]) => text.replace(hint, withFlags), named);
}

/** Phrases of the client package about its option `tls`, and their versions with flags. */
const TLS_HINTS: readonly (readonly [hint: string, withFlags: string])[] = [
  [
    'set the expected certificate authority or server name with the option tls',
    'set the expected certificate authority with --tls-ca, or the expected server name with --tls-server-name',
  ],
  ['set the option tls', 'set --tls'],
  ['set insecure: true', 'set --insecure'],
];

/** grpc-js wraps the error of the system. Users need only the inner error. */
function plainCause(message: string): string {
  const cause = /Last error: (?:Error: )?(.+?)(?:\. Resolution note:.*)?$/.exec(message)?.[1] ?? message;
  return cause.replace(/\.$/, '');
}

/** Whether the client package rejected an option of the command before it sent anything. */
const isOptionMistake = ({ reason, metadata }: SpreadError) =>
  reason === 'FIELD_INVALID' && (metadata.field === 'target' || metadata.field === 'token');

const UNREACHABLE = new Set(['COULD_NOT_CONNECT', 'SIDECAR_UNREACHABLE', '']);

/** Reasons for which the sidecar ends a mailbox with a slow receiver. */
const TOO_SLOW = new Set(['QUEUE_OVERFLOW', 'SLOW_CONSUMER']);

function exitCodeOf(error: SpreadError): number {
  if (isOptionMistake(error)) return ExitCode.usage;
  switch (error.statusName) {
    case 'UNAVAILABLE':
      return UNREACHABLE.has(error.reason) ? ExitCode.unreachable : ExitCode.endedEarly;
    case 'DEADLINE_EXCEEDED':
      return ExitCode.timeout;
    case 'ABORTED':
      return ExitCode.endedEarly;
    case 'RESOURCE_EXHAUSTED':
      return TOO_SLOW.has(error.reason) ? ExitCode.endedEarly : ExitCode.refused;
    case 'NOT_FOUND':
      return error.reason === 'ILLEGAL_SESSION' ? ExitCode.endedEarly : ExitCode.refused;
    case 'INVALID_ARGUMENT':
    case 'ALREADY_EXISTS':
    case 'PERMISSION_DENIED':
    case 'UNAUTHENTICATED':
    case 'FAILED_PRECONDITION':
    case 'OUT_OF_RANGE':
    case 'UNIMPLEMENTED':
      return ExitCode.refused;
    default:
      return ExitCode.failure;
  }
}
