import { AUTH_CHOICE_SIZE, AUTH_SLOT_SIZE, AUTH_SLOTS } from '../constants.js';
import { type Grammar, IncrementalReader } from '../grammar.js';
import { WireError } from '../wire-error.js';
import { rejection } from './session-answer.js';

// Step 2 of the handshake, daemon to client: length(1) and the allowed methods, each followed by a space; or one
// negative byte, the reject code. Step 3, client to daemon: 90 bytes, three slots of 30 with NUL-padded names of
// methods. The first empty slot ends the list. Then the methods exchange their own data.

/** Daemon side: the list of allowed methods, each followed by one space. At most 127 bytes. */
export function encodeAuthList(methods: readonly string[]): Buffer {
  const list = methods.map((method) => `${method} `).join('');
  if (list.length > 127) {
    throw new WireError(
      'REJECT_AUTH',
      'auth list',
      `the auth list has ${list.length} bytes; it must have 0..127`,
      '0..127 bytes',
    );
  }
  return Buffer.concat([Buffer.from([list.length]), Buffer.from(list, 'latin1')]);
}

/** Client side: reads the daemon's list of methods. `push` throws WireError with the code of a reject byte. */
export class AuthListReader extends IncrementalReader<string[]> {
  constructor() {
    super(authListGrammar());
  }
}

function* authListGrammar(): Grammar<string[]> {
  const length = (yield 1).readInt8(0);
  if (length < 0) throw rejection(length);
  const list = yield length;
  return list
    .toString('latin1')
    .split(/[ \0]+/)
    .filter((method) => method !== '');
}

/**
 * The choice of 1 to 2 authentication methods: 90 bytes, to send in **one** write. The third slot stays empty:
 * when all three are filled, a 5.0.1 daemon looks for the end of the list after them (protocol page §3.5). Throws
 * WireError REJECT_AUTH for no method, more than two, or a name that does not fit its slot.
 */
export function encodeAuthChoice(methods: readonly string[]): Buffer {
  if (methods.length < 1 || methods.length >= AUTH_SLOTS) {
    const bound = `1..${AUTH_SLOTS - 1}`;
    throw new WireError(
      'REJECT_AUTH',
      'auth',
      `auth names ${methods.length} methods; it must name ${bound}`,
      bound,
    );
  }
  const choice = Buffer.alloc(AUTH_CHOICE_SIZE);
  for (const [i, method] of methods.entries()) {
    if (method.length < 1 || method.length >= AUTH_SLOT_SIZE || !/^[\x21-\x7e]+$/.test(method)) {
      const bound = `1..${AUTH_SLOT_SIZE - 1} printable bytes`;
      throw new WireError(
        'REJECT_AUTH',
        `auth[${i}]`,
        `auth[${i}] is not a method name; it must have ${bound}`,
        bound,
      );
    }
    choice.write(method, i * AUTH_SLOT_SIZE, 'latin1');
  }
  return choice;
}

/**
 * Daemon side: reads the 90 bytes of a client's choice, up to the first empty slot. The daemon decides which
 * methods are allowed. Throws nothing.
 */
export class AuthChoiceReader extends IncrementalReader<string[]> {
  constructor() {
    super(authChoiceGrammar());
  }
}

function* authChoiceGrammar(): Grammar<string[]> {
  const choice = yield AUTH_CHOICE_SIZE;
  const methods: string[] = [];
  for (let slot = 0; slot < AUTH_SLOTS; slot++) {
    const bytes = choice.subarray(slot * AUTH_SLOT_SIZE, (slot + 1) * AUTH_SLOT_SIZE);
    const end = bytes.indexOf(0);
    const method = bytes.toString('latin1', 0, end < 0 ? AUTH_SLOT_SIZE : end);
    if (method === '') break;
    methods.push(method);
  }
  return methods;
}
