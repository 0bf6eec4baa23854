import { type ConfMistake, SpreadConfError, type Token, type TokenKind } from './spread-conf-lexer.js';
import { asksForAccessControl, MAX_DAEMON_NAME, settingOf, type ValueKind } from './spread-conf-settings.js';

/** One daemon of the file. */
export interface DaemonEntry {
  readonly name: string;
  readonly address: string;
  readonly line: number;
  readonly virtualId: number | undefined;
  readonly interfaces: readonly { readonly address: string; readonly forClients: boolean }[] | undefined;
  port: number;
}

const DEFAULT_PORT = 4803;

/** Reads tokens with one token of look-ahead; stops at the first mistake of form, gathers the others. */
export class SpreadConfParser {
  readonly daemons: DaemonEntry[] = [];
  readonly ignored: { line: number; what: string }[] = [];
  readonly mistakes: ConfMistake[] = [];
  maxSessionMessages: number | undefined;
  #next = 0;

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
  }

  #segment(): void {
    this.#take();
    const address = this.#take();
    if (address.kind !== 'address' && address.kind !== 'addressAndPort')
      this.#fail(address, "after Spread_Segment comes its address, with or without ':port'");
    while (this.#peek().kind === 'address') this.#take();
    this.#expect('{', "the segment's daemons, between { and }");
    const first = this.daemons.length;
    while (this.#peek().kind !== '}') this.#daemon();
    this.#take();
    for (const daemon of this.daemons.slice(first)) daemon.port = address.port || DEFAULT_PORT;
    this.ignored.push({
      line: address.line,
      what: `segment address ${address.text}: daemons do not talk to each other`,
    });
  }

  #daemon(): void {
    const start = this.#take();
    const isName = start.kind === 'quoted' || (start.kind === 'word' && !/^[MCD]$/.test(start.text));
    if (!isName && start.kind !== 'address')
      this.#fail(start, `expected a daemon (name, address or both) or }, found '${start.text}'`);
    if (start.text === '') this.#fail(start, "a daemon's name must not be empty");
    const address = isName && this.#peek().kind === 'address' ? this.#take().text : start.text;
    // Without a name the address is the name, less the interface that an IPv6 address may carry.
    const name = (isName ? start.text : start.text.replace(/%.*$/, '')).slice(0, MAX_DAEMON_NAME);
    if (this.daemons.some((daemon) => daemon.name === name))
      this.#mistake(start, `the daemon name '${name}' is there twice`);
    if (isName && start.text.length > MAX_DAEMON_NAME)
      this.ignored.push({ line: start.line, what: `daemon name '${start.text}' is cut to '${name}'` });
    const virtualId = this.#virtualId();
    const interfaces = this.#peek().kind === '{' ? this.#interfaces() : undefined;
    if (this.#peek().kind === ';') this.#take();
    this.daemons.push({ name, address, line: start.line, virtualId, interfaces, port: 0 });
  }

  #virtualId(): number | undefined {
    if (this.#peek().text !== 'VirtualID') return undefined;
    this.#take();
    this.#expect('=', '= after VirtualID');
    const id = this.#take();
    if (id.kind !== 'number' || Number(id.text) < 1)
      this.#fail(id, `VirtualID must be a number from 1 to 999999999, not '${id.text}'`);
    return Number(id.text);
  }

  #interfaces(): { address: string; forClients: boolean }[] {
    const open = this.#take();
    const interfaces: { address: string; forClients: boolean }[] = [];
    while (this.#peek().kind !== '}') {
      let letters = '';
      while (this.#peek().kind === 'word' && /^[MCD]$/.test(this.#peek().text)) letters += this.#take().text;
      const address = this.#take();
      if (address.kind !== 'address')
        this.#fail(address, `expected an interface ([M] [C] [D] address) or }, found '${address.text}'`);
      // Without a letter an interface is for everything.
      interfaces.push({ address: address.text, forClients: letters === '' || letters.includes('C') });
    }
    this.#take();
    if (interfaces.length === 0)
      this.#mistake(open, 'the braces after a daemon must name at least one interface');
    return interfaces;
  }

  #setting(): void {
    const name = this.#take();
    if (name.kind === 'word' && name.text === 'MaxSessionMessages') {
      this.#expect('=', `= after ${name.text}`);
      const value = this.#take();
      if (value.kind !== 'number' || Number(value.text) < 1)
        this.#mistake(value, `MaxSessionMessages must be a number from 1 to 999999999, not '${value.text}'`);
      else this.maxSessionMessages = Number(value.text);
      return;
    }
    const known = name.kind === 'word' ? settingOf(name.text) : undefined;
    if (!known) {
      const hint = name.text.includes('=') ? "; Spread needs blanks around '='" : '';
      this.#fail(name, `'${name.text}' is no setting of spread.conf and no Spread_Segment${hint}`);
    }
    const [kind, reason] = known;
    const value = this.#value(name, kind);
    const refusal = asksForAccessControl(name.text, value);
    if (refusal) this.#mistake(name, refusal);
    this.ignored.push({ line: name.line, what: `${name.text}: ${reason}` });
  }

  #value(name: Token, kind: ValueKind): string {
    if (kind === 'none' || (kind === 'optionalWord' && this.#peek().kind !== '=')) return '';
    this.#expect('=', `= after ${name.text}`);
    if (kind === 'flags') return this.#flags(name);
    const value = this.#take();
    const fits = {
      number: /^\d{1,9}$/,
      boolean: /^(true|yes|false|no)$/i,
      onOff: /^(on|off|auto)$/i,
      word: /^/,
      optionalWord: /^/,
    }[kind];
    const form = {
      number: 'a number',
      boolean: 'true or false',
      onOff: 'on, off or auto',
      word: 'a value',
      optionalWord: 'a value',
    };
    if ('{}=;!'.includes(value.kind) || value.kind === 'end' || !fits.test(value.text))
      this.#fail(value, `${name.text} needs ${form[kind]}, not '${value.text}'`);
    return value.text;
  }

  #flags(name: Token): string {
    this.#expect('{', `the list of flags of ${name.text}, between { and }`);
    while (this.#peek().kind === 'word' || this.#peek().kind === '!') this.#take();
    this.#expect('}', `} at the end of ${name.text}`);
    return '';
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
    if (token.kind !== kind) this.#fail(token, `expected ${what}, found '${token.text}'`);
  }

  #mistake(token: Token, message: string): void {
    this.mistakes.push({ line: token.line, message });
  }

  #fail(token: Token, message: string): never {
    throw new SpreadConfError([...this.mistakes, { line: token.line, message }]);
  }
}
