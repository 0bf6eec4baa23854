import { CLIENT_VERSION, MAX_PRIVATE_NAME, type Version } from '../constants.js';
import { type Grammar, IncrementalReader } from '../grammar.js';
import { checkPrivateName } from '../names.js';
import { WireError } from '../wire-error.js';

// Step 1 of the handshake, client to daemon:
// off size field
//   0    1 major version, signed
//   1    1 minor version, signed
//   2    1 patch version, signed; absent before 3.15
//   3    1 flags: bit 0 = wants membership messages, high nibble = priority
//   4    1 length of the name, 0..10
//   5  len name

/** The first message of a client. */
export interface ConnectRequest {
  /** 0..10 bytes. Empty: the daemon generates a name. */
  name: string;
  /** Whether to receive views and transitions. */
  membership: boolean;
  /** 0 or 1. A daemon stores it without using it. */
  priority: 0 | 1;
  /** Default: CLIENT_VERSION. */
  version?: Version;
}

/** A connect request as decoded by a daemon. */
export interface ReceivedConnectRequest {
  name: string;
  membership: boolean;
  /** High nibble of the flag byte. */
  priority: number;
  /** Signed bytes: a byte of 0x80 or more is negative. */
  version: Version;
  /** False before 3.16: such a client neither reads an auth list nor sends a choice. */
  authPhase: boolean;
  /** Number of version bytes that the client expects in the response: 2 before 3.15. */
  versionBytes: 2 | 3;
}

/** Versions below this one are rejected with REJECT_VERSION. */
const OLDEST_CLIENT = 30_100;
/** major × 100 + minor above which a request has a patch byte. */
const LAST_WITHOUT_PATCH = 314;
/** major × 10,000 + minor × 100 + patch from which on the response has three bytes of version. */
const FIRST_WITH_THREE_BYTES = 31_500;
/** major × 10,000 + minor × 100 + patch from which on there is an auth phase. */
const FIRST_WITH_AUTH = 31_600;

/**
 * The connect request, to send in **one** write: a 5.0.1 daemon does not wait for the rest, and closes silently
 * after a part of it (transcript 09-handshake-split-writes). Throws WireError REJECT_ILLEGAL_NAME for a name that
 * the daemon would reject.
 */
export function encodeConnectRequest(request: ConnectRequest): Buffer {
  checkPrivateName(request.name);
  const version = request.version ?? CLIENT_VERSION;
  const withPatch = version.major * 100 + version.minor > LAST_WITHOUT_PATCH;
  const flags = (request.priority << 4) | (request.membership ? 1 : 0);
  const head = withPatch
    ? [version.major, version.minor, version.patch, flags, request.name.length]
    : [version.major, version.minor, flags, request.name.length];
  return Buffer.concat([Buffer.from(head), Buffer.from(request.name, 'latin1')]);
}

/**
 * Daemon side: decodes a connect request. `push` throws WireError REJECT_VERSION or REJECT_ILLEGAL_NAME, in a
 * daemon's order of checks.
 */
export class ConnectRequestReader extends IncrementalReader<ReceivedConnectRequest> {
  readonly #progress: { part: 'head' | 'name' };

  constructor() {
    const progress: { part: 'head' | 'name' } = { part: 'head' };
    super(connectRequestGrammar(progress));
    this.#progress = progress;
  }

  /**
   * The expected part. When bytes are missing, a 5.0.1 daemon closes without a response in the head, and with
   * REJECT_ILLEGAL_NAME in the name (transcripts 08 and 09).
   */
  get awaiting(): 'head' | 'name' {
    return this.#progress.part;
  }
}

function* connectRequestGrammar(progress: { part: 'head' | 'name' }): Grammar<ReceivedConnectRequest> {
  const first = yield 2;
  const major = first.readInt8(0);
  const minor = first.readInt8(1);
  const release = major * 100 + minor;
  const patch = release > LAST_WITHOUT_PATCH ? (yield 1).readInt8(0) : 0;
  const second = yield 2;
  // A patch of 0x80 or more is negative, so 3.16.255 is older than 3.16.0.
  const number = major * 10_000 + minor * 100 + patch;
  if (number < OLDEST_CLIENT) {
    throw new WireError(
      'REJECT_VERSION',
      'version',
      `the client has version ${major}.${minor}.${patch}; 3.1.0 is the oldest accepted`,
      '3.1.0..',
    );
  }
  const flags = second.readInt8(0);
  const length = second.readUInt8(1);
  if (length > MAX_PRIVATE_NAME) {
    const bound = `0..${MAX_PRIVATE_NAME}`;
    throw new WireError(
      'REJECT_ILLEGAL_NAME',
      'private_name',
      `the client announces a name of ${length} bytes; it must have ${bound}`,
      bound,
    );
  }
  progress.part = 'name';
  const name = (yield length).toString('latin1');
  checkPrivateName(name);
  return {
    name,
    // A 5.0.1 daemon compares the signed byte modulo 2 with 1, so negative odd numbers fail (transcript 15).
    membership: flags % 2 === 1,
    priority: (flags >> 4) & 0x0f,
    version: { major, minor, patch },
    authPhase: number >= FIRST_WITH_AUTH,
    versionBytes: number >= FIRST_WITH_THREE_BYTES ? 3 : 2,
  };
}
