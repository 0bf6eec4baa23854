import { SpreadCode, type SpreadCodeName, spreadCodeName } from '../codes.js';
import { ACCEPT_SESSION, MAX_GROUP_NAME, type Version } from '../constants.js';
import { type Grammar, IncrementalReader } from '../grammar.js';
import { WireError } from '../wire-error.js';

// Last step of the handshake, daemon to client: 0x01, version(3; 2 for clients before 3.15), length(1) and the
// private group of that length; or one negative byte, the reject code. A reject code can also replace the auth
// list.

/** The response of a daemon that accepts. */
export interface Accepted {
  daemonVersion: Version;
  /** `#name#daemon`. */
  privateGroup: string;
}

/** Older daemons speak another protocol. Spread's own library rejects them too. */
const OLDEST_DAEMON_MAJOR = 3;

/** Daemon side: the session is accepted. Clients before 3.15 expect 2 bytes of version. */
export function encodeAccept(accepted: Accepted, versionBytes: 2 | 3 = 3): Buffer {
  const { major, minor, patch } = accepted.daemonVersion;
  const version = versionBytes === 3 ? [major, minor, patch] : [major, minor];
  const group = Buffer.from(accepted.privateGroup, 'latin1');
  return Buffer.concat([Buffer.from([ACCEPT_SESSION, ...version, group.length]), group]);
}

/** Daemon side: the byte that rejects a session. */
export function encodeReject(code: SpreadCodeName): Buffer {
  return Buffer.from([SpreadCode[code] & 0xff]);
}

/**
 * Client side: decodes the response after the auth phase. `push` throws WireError with the code of a reject byte,
 * REJECT_VERSION for a daemon older than 3, ILLEGAL_MESSAGE for bytes that are not a daemon's response.
 */
export class AcceptReader extends IncrementalReader<Accepted> {
  constructor() {
    super(acceptGrammar());
  }
}

function* acceptGrammar(): Grammar<Accepted> {
  const code = (yield 1).readInt8(0);
  if (code < 0) throw rejection(code);
  if (code !== ACCEPT_SESSION) {
    throw new WireError(
      'ILLEGAL_MESSAGE',
      'accept',
      `the daemon responded with ${code}; expected is 1 for an accepted session`,
      '1',
    );
  }
  const head = yield 4;
  const daemonVersion = { major: head.readInt8(0), minor: head.readInt8(1), patch: head.readInt8(2) };
  if (daemonVersion.major < OLDEST_DAEMON_MAJOR) {
    throw new WireError(
      'REJECT_VERSION',
      'daemon_version',
      `the daemon has version ${daemonVersion.major}.${daemonVersion.minor}.${daemonVersion.patch}; 3 is the oldest supported major version`,
      '3..',
    );
  }
  const length = head.readUInt8(3);
  if (length < 1 || length >= MAX_GROUP_NAME) {
    const bound = `1..${MAX_GROUP_NAME - 1}`;
    throw new WireError(
      'ILLEGAL_MESSAGE',
      'private_group',
      `the daemon announces a private group of ${length} bytes; it must have ${bound}`,
      bound,
    );
  }
  return { daemonVersion, privateGroup: (yield length).toString('latin1') };
}

const REASONS: Partial<Record<SpreadCodeName, string>> = {
  REJECT_QUOTA: 'it has reached its maximum number of sessions',
  REJECT_NO_NAME: 'it requires a private name',
  REJECT_ILLEGAL_NAME: 'the private name is illegal',
  REJECT_NOT_UNIQUE: 'the private name is in use',
  REJECT_VERSION: 'it does not support this version of the protocol',
  REJECT_AUTH: 'the authentication failed',
};

/**
 * The error of a reject byte. Any other number, even a Spread code with another meaning, is not a daemon's
 * response: ILLEGAL_MESSAGE. A peer must not be able to imitate a defect of the sidecar or a mistake of the
 * caller.
 */
export function rejection(number: number): WireError {
  const code = spreadCodeName(number);
  const reason = code && REASONS[code];
  if (code === undefined || reason === undefined) {
    return new WireError(
      'ILLEGAL_MESSAGE',
      'reject code',
      `the daemon rejected the session with the unknown code ${number}`,
    );
  }
  return new WireError(code, 'session', `the daemon rejected the session: ${reason}`);
}
