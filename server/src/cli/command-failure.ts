import type { SpreadError } from 'spread-sidecar-client';
import { ConfigError } from '../config/mistakes.js';
import { ListenError } from '../net/listen-error.js';
import { TARGET_VARIABLE } from './connection/client-variables.js';
import { ExitCode } from './exit-codes.js';
import { systemErrorText } from './system-error.js';

/** The end of a command that could not do its work: a sentence for the user, and the exit code. */
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

/** What happened on the way, for the sentence: "can't send: …". */
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

// By its shape: the package loads gRPC, which a command that fails early needs not wait for.
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

/** Flags of the command line for fields of the contract, with the names that the client package gives them. */
const FLAGS: Readonly<Record<string, readonly [option: string, flag: string]>> = {
  target: ['target', '--target'],
  token: ['token', '--token-file'],
  private_name: ['privateName', '--user'],
  daemon: ['spreadName', '--spread-name'],
  message_type: ['messageType', '--type'],
  service_type: ['serviceType', '--service'],
};

/** The sentence with the flag that the user typed in place of the client package's option. */
function inTermsOfFlags({ message, metadata }: SpreadError): string {
  const { field = '' } = metadata;
  const [option, flag] = /^groups\[\d+\]$/.test(field) ? [field, 'group'] : (FLAGS[field] ?? ['', '']);
  // The sidecar also checks its own configuration with this sentence, which has no field to name.
  const sentence = field === 'daemon' ? message.replace(/^the daemon's Spread name /, `${option} `) : message;
  const named =
    option !== '' && sentence.startsWith(`${option} `) ? flag + sentence.slice(option.length) : sentence;
  return TLS_HINTS.reduce((text, [hint, withFlags]) => text.replace(hint, withFlags), named);
}

/** What the client package says of its option `tls`, and the flags for it. */
const TLS_HINTS: readonly (readonly [hint: string, withFlags: string])[] = [
  [
    'set its certificate authority or its server name with the option tls',
    'set its certificate authority with --tls-ca, or its server name with --tls-server-name',
  ],
  ['set the option tls', 'set --tls'],
  ['with insecure: true', 'with --insecure'],
];

/** grpc-js wraps what the system says: only that is of use to a person. */
function plainCause(message: string): string {
  const cause = /Last error: (?:Error: )?(.+?)(?:\. Resolution note:.*)?$/.exec(message)?.[1] ?? message;
  return cause.replace(/\.$/, '');
}

/** Whether the client package rejected an option of the command before it sent anything. */
const isOptionMistake = ({ reason, metadata }: SpreadError) =>
  reason === 'FIELD_INVALID' && (metadata.field === 'target' || metadata.field === 'token');

const UNREACHABLE = new Set(['COULD_NOT_CONNECT', 'SIDECAR_UNREACHABLE', '']);

/** Reasons for which a mailbox was ended whose receiver was too slow. */
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
