import { AddressRules, type DaemonInterface } from './addresses.js';
import { type ConfMistake, SpreadConfError, shown, type Token, type TokenKind } from './lexer.js';
import { RingRules } from './ring.js';
import {
  asksForAccessControl,
  isDebugFlag,
  isPriority,
  isReserved,
  leastOf,
  MAX_DAEMON_NAME,
  MAX_DAEMONS,
  MAX_INTERFACES,
  MAX_NUMBER,
  MAX_SEGMENT_ADDRESSES,
  MAX_SEGMENTS,
  settingOf,
  type ValueKind,
} from './settings.js';

/** One daemon of the file. */
export interface DaemonEntry {
  readonly name: string;
  readonly address: string;
  readonly line: number;
  readonly virtualId: number | undefined;
  readonly interfaces: readonly DaemonInterface[] | undefined;
  port: number;
}

const DEFAULT_PORT = 4803;

/**
 * Parses tokens with one token of look-ahead. Stops at the first syntax error, and collects all other mistakes.
 */
export class SpreadConfParser {
  readonly daemons: DaemonEntry[] = [];
  readonly ignored: { line: number; what: string }[] = [];
  readonly mistakes: ConfMistake[] = [];
  maxSessionMessages: number | undefined;
  #next = 0;
  #segments = 0;
  readonly #addresses = new AddressRules((line, message) => this.mistakes.push({ line, message }));
  readonly #ring = new RingRules();

  constructor(private readonly tokens: readonly Token[]) {}

  get lastLine(): number {
    return this.tokens.at(-1)!.line;
  }

  file(): void {
    while (this.#peek().kind !== 'end') {
      if (this.#peek().text === 'Spread_Segment' && this.#peek().kind === 'word') this.#segment();
      else this.#setting();
    }
    if (this.daemons.length === 0)
      this.#mistake(this.#peek(), 'the file has no daemon; write Spread_Segment ADDRESS { NAME ADDRESS }');
    for (const message of this.#ring.mistakes()) this.#mistake(this.#peek(), message);
  }

  #segment(): void {
    this.#take();
    const address = this.#take();
    if (address.kind !== 'address' && address.kind !== 'addressAndPort')
      this.#fail(
        address,
        `expected an address after Spread_Segment, with or without ':port', found ${shown(address)}`,
      );
    const addresses = [address];
    while (this.#peek().kind === 'address') addresses.push(this.#take());
    if (addresses.length > MAX_SEGMENT_ADDRESSES)
      this.#mistake(
        address,
        `the segment has ${addresses.length} addresses; at most ${MAX_SEGMENT_ADDRESSES} are allowed`,
      );
    this.#segments += 1;
    if (this.#segments > MAX_SEGMENTS)
      this.#mistake(address, `the file has more than ${MAX_SEGMENTS} segments`);
    this.#expect('{', "the segment's daemons, between { and }");
    const first = this.daemons.length;
    while (this.#peek().kind !== '}') this.#daemon();
    this.#take();
    for (const daemon of this.daemons.slice(first)) {
      daemon.port = address.port || DEFAULT_PORT;
      this.#addresses.checkUnique(daemon, this.daemons);
    }
    for (const { text, line } of addresses) {
      this.#addresses.checkSegment(text, line, this.daemons.length === 0);
    }
    this.ignored.push({
      line: address.line,
      what: `segment address ${address.text}: a single node does not communicate with other daemons`,
    });
  }

  #daemon(): void {
    const start = this.#take();
    const isName = isString(start);
    if (!isName && start.kind !== 'address' && start.kind === 'word')
      this.#fail(
        start,
        `${shown(start)} is a keyword of Spread; to use it as the name of a daemon, put it in quotes`,
      );
    if (!isName && start.kind !== 'address')
      this.#fail(start, `expected a daemon (name, address or both) or }, found ${shown(start)}`);
    if (start.text === '') this.#fail(start, "a daemon's name must not be empty");
    const address = isName && this.#peek().kind === 'address' ? this.#take().text : start.text;
    // Without a name, the address is the name, without the interface of an IPv6 address.
    const name = (isName ? start.text : start.text.replace(/%.*$/, '')).slice(0, MAX_DAEMON_NAME);
    if (this.daemons.some((daemon) => daemon.name === name))
      this.#mistake(start, `the daemon name '${name}' occurs twice`);
    if (isName && start.text.length > MAX_DAEMON_NAME)
      this.ignored.push({ line: start.line, what: `daemon name '${start.text}' is shortened to '${name}'` });
    if (isName && address !== start.text && start.text.endsWith(';'))
      this.ignored.push({
        line: start.line,
        what: `the semicolon in the daemon name '${start.text}' is part of the name: put a space before a semicolon that separates daemons`,
      });
    this.#addresses.checkDaemon(address, start.line);
    const virtualId = this.#virtualId();
    const interfaces = this.#peek().kind === '{' ? this.#interfaces() : undefined;
    if (virtualId !== undefined && this.daemons.some((daemon) => daemon.virtualId === virtualId))
      this.#mistake(start, `the virtual ID ${virtualId} occurs twice`);
    if (interfaces) this.#addresses.checkInterfaces(name, address, interfaces, start.line);
    if (this.daemons.length === MAX_DAEMONS)
      this.#mistake(start, `the file has more than ${MAX_DAEMONS} daemons`);
    if (this.#peek().kind === ';') this.#take();
    this.daemons.push({ name, address, line: start.line, virtualId, interfaces, port: 0 });
  }

  #virtualId(): number | undefined {
    if (this.#peek().text !== 'VirtualID') return undefined;
    this.#take();
    this.#expect('=', '= after VirtualID');
    return this.#number('VirtualID', 1);
  }

  #interfaces(): DaemonInterface[] {
    const open = this.#take();
    const interfaces: DaemonInterface[] = [];
    while (this.#peek().kind !== '}') {
      let letters = '';
      while (this.#peek().kind === 'word' && /^[MCD]$/.test(this.#peek().text)) letters += this.#take().text;
      const address = this.#take();
      if (address.kind !== 'address')
        this.#fail(address, `expected an interface ([M] [C] [D] address) or }, found ${shown(address)}`);
      // Without a letter, an interface is for all purposes.
      const isFor = (letter: string) => letters === '' || letters.includes(letter);
      interfaces.push({ address: address.text, forClients: isFor('C'), forDaemons: isFor('D') });
    }
    this.#take();
    if (interfaces.length === 0)
      this.#mistake(open, 'the braces after a daemon must name at least one interface');
    if (interfaces.length > MAX_INTERFACES)
      this.#mistake(
        open,
        `the daemon has ${interfaces.length} interfaces; at most ${MAX_INTERFACES} are allowed`,
      );
    return interfaces;
  }

  #setting(): void {
    const name = this.#take();
    if (name.kind === 'word' && name.text === 'MaxSessionMessages') {
      this.#expect('=', `= after ${name.text}`);
      this.maxSessionMessages = this.#number(name.text, 1);
      return;
    }
    const known = name.kind === 'word' ? settingOf(name.text) : undefined;
    if (!known) {
      const hint = name.text.includes('=') ? "; put spaces around '='" : '';
      this.#fail(name, `${shown(name)} is neither a setting of spread.conf nor Spread_Segment${hint}`);
    }
    const [kind, reason] = known;
    const value = this.#value(name, kind);
    if (value) {
      const refusal = asksForAccessControl(name.text, value);
      if (refusal) this.#mistake(name, refusal);
      this.#ring.note(name.text, value.text);
      if (kind === 'ipVersion') this.#addresses.setVersion(value);
    }
    this.ignored.push({ line: name.line, what: `${name.text}: ${reason}` });
  }

  /** The value of a setting. Undefined for a list of flags, and for a setting without a value. */
  #value(name: Token, kind: ValueKind): Token | undefined {
    if (kind === 'none' || (kind === 'optionalString' && this.#peek().kind !== '=')) return undefined;
    this.#expect('=', `= after ${name.text}`);
    if (kind === 'flags') return this.#flags(name);
    const value = this.#peek();
    if (kind === 'number') {
      this.#number(name.text, leastOf(name.text));
      return value;
    }
    this.#take();
    const fits = {
      boolean: () => value.kind === 'word' && /^(true|yes|false|no)$/i.test(value.text),
      onOff: () => value.kind === 'word' && /^(on|off|auto)$/i.test(value.text),
      priority: () => value.kind === 'word' && isPriority(value.text),
      string: () => isString(value),
      optionalString: () => isString(value),
      ipVersion: () => isString(value),
    }[kind];
    const form = {
      boolean: 'true, yes, false or no',
      onOff: 'on, off or auto',
      priority: 'pDEBUG, INFO, WARNING, ERROR, CRITICAL or FATAL',
      string: 'a value, in quotes if it is a number, an address or a keyword of Spread',
      optionalString: 'a value, in quotes if it is a number, an address or a keyword of Spread',
      ipVersion: 'IPv4 or IPv6',
    };
    if (!fits()) this.#fail(value, `${name.text} needs ${form[kind]}, not ${shown(value)}`);
    return value;
  }

  /** Also reports a number below the range. */
  #number(setting: string, least: number): number {
    const value = this.#take();
    const message = `${setting} must be a whole number from ${least} to ${MAX_NUMBER}, not ${shown(value)}`;
    if (value.kind !== 'number') this.#fail(value, message);
    if (Number(value.text) < least) this.#mistake(value, message);
    return Number(value.text);
  }

  #flags(name: Token): undefined {
    this.#expect('{', `the list of flags of ${name.text}, between { and }`);
    while (this.#peek().kind === 'word' || this.#peek().kind === '!') {
      if (this.#peek().kind === '!') this.#take();
      const flag = this.#take();
      if (flag.kind !== 'word' || !isDebugFlag(flag.text))
        this.#fail(flag, `${shown(flag)} is not a flag of ${name.text}`);
    }
    this.#expect('}', `} at the end of ${name.text}`);
  }

  #peek(): Token {
    return this.tokens[this.#next]!;
  }

  #take(): Token {
    const token = this.tokens[this.#next]!;
    if (token.kind !== 'end') this.#next += 1;
    return token;
  }

  #expect(kind: TokenKind, what: string): void {
    const token = this.#take();
    if (token.kind !== kind) this.#fail(token, `expected ${what}, found ${shown(token)}`);
  }

  #mistake(token: Token, message: string): void {
    this.mistakes.push({ line: token.line, message });
  }

  #fail(token: Token, message: string): never {
    throw new SpreadConfError([...this.mistakes, { line: token.line, message }]);
  }
}

/** Text that Spread accepts as a value: quoted text, or a word without a special meaning. */
const isString = (token: Token): boolean =>
  token.kind === 'quoted' || (token.kind === 'word' && !isReserved(token.text));
