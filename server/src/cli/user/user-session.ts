import { randomBytes } from 'node:crypto';
import type { Mailbox, SpreadError, SpreadEvent } from 'spread-sidecar-client';
import {
  FIFO_MESS,
  MAX_GROUP_NAME,
  MAX_MESSAGE_BODY,
  SAFE_MESS,
  serviceOfBits,
} from '../../spread/wire/constants.js';
import { describeFailure } from '../command-failure.js';
import { eventToText, printable, viewToText } from '../terminal/event-text.js';
import { count, type Output } from '../terminal/output.js';
import { messageType, serviceType, wholeNumber } from '../terminal/values.js';
import type { LineConsole } from './line-console.js';
import { findUserCommand, parseSend, type UserActions, userCommandHelp } from './user-commands.js';

/** Messages of a burst, as in spuser. */
const BURST_MESSAGES = 10;
const MAX_BURST_BYTES = MAX_MESSAGE_BODY - MAX_GROUP_NAME;
/** Time limit of `receive`, so that it does not block later commands. Unit: ms. */
const RECEIVE_MS = 500;
/** Time that the end of a script waits for its own messages. Unit: ms. */
const SETTLE_MS = 2000;

/** A mistake of the user. It is reported, and the session continues. */
class UserMistake extends Error {}

/** The commands of a user on one mailbox. */
export class UserSession implements UserActions {
  readonly #mailbox: Mailbox;
  readonly #console: LineConsole;
  readonly #colors: Output['colors'];
  readonly #signal: AbortSignal;
  #service = SAFE_MESS;
  #burstService: number | undefined;
  #type = 1;
  #discard = false;
  #burstBytes = 1024;
  #sent = 0;
  #quit = false;
  #held: { release(): void; released: Promise<void> } | undefined;
  /** Ends the wait for the next event. The event itself stays queued. */
  #waiting = new AbortController();
  #settleMark: { bytes: Buffer; seen(): void } | undefined;
  /** Groups whose members this mailbox knows as a member. */
  readonly #joined = new Set<string>();
  /** Groups for which the warning about unknown members was printed. */
  readonly #warnedOf = new Set<string>();
  /** Groups that the user has named, for completion. */
  readonly groups = new Set<string>();

  constructor(mailbox: Mailbox, console: LineConsole, colors: Output['colors'], signal: AbortSignal) {
    this.#mailbox = mailbox;
    this.#console = console;
    this.#colors = colors;
    this.#signal = signal;
  }

  /** Runs commands until quit or the end of the input. Rejects when the mailbox is lost. */
  async run(): Promise<void> {
    const stopReceiving = new AbortController();
    const receiving = this.#receiveLoop(AbortSignal.any([this.#signal, stopReceiving.signal]));
    // The end of the mailbox also ends the session while it waits for a line.
    const lost = receiving.then(() => new Promise<never>(() => {}));
    try {
      await Promise.race([this.#commandLoop(), lost]);
    } finally {
      stopReceiving.abort();
      await this.go();
      await receiving.catch(() => {});
    }
  }

  async join(groups: readonly string[]): Promise<void> {
    for (const group of this.#groups(groups))
      await this.#mailbox.join(group, { awaitView: true, signal: this.#signal });
  }

  async leave(groups: readonly string[]): Promise<void> {
    for (const group of this.#groups(groups)) {
      const left = await this.#mailbox.leave(group, { awaitView: true, signal: this.#signal });
      if (!left) await this.#console.print(`you were not in ${printable(group)}`);
    }
  }

  async send(text: string): Promise<void> {
    const { groups, message: given } = parseSend(text);
    this.#groups(groups);
    await this.#warnOfStrangers(groups, given === undefined);
    const message = given ?? (await this.#console.ask('message: '));
    if (message === undefined) this.quit();
    else await this.#multicast(groups, message);
  }

  async sendLines(groups: readonly string[]): Promise<void> {
    this.#groups(groups);
    const lines: string[] = [];
    for (;;) {
      const line = await this.#console.ask('message (an empty line ends it): ');
      if (line === undefined) this.quit();
      if (line === undefined || line === '') break;
      lines.push(line);
    }
    if (lines.length > 0) await this.#multicast(groups, lines.map((line) => `${line}\n`).join(''));
  }

  async burst(groups: readonly string[]): Promise<void> {
    this.#groups(groups);
    const answer = (await this.#console.ask(`size of each message [${this.#burstBytes}]: `))?.trim() ?? '';
    if (answer !== '') this.#burstBytes = this.#parse('the size', wholeNumber(0, MAX_BURST_BYTES), answer);
    for (let i = 0; i < BURST_MESSAGES; i += 1) {
      const message = Buffer.alloc(this.#burstBytes, '.');
      message.write(`message ${this.#sent + 1} `);
      await this.#mailbox.multigroupMulticast(this.#burstService ?? FIFO_MESS, groups, message, 2, {
        selfDiscard: this.#discard,
        signal: this.#signal,
      });
      this.#sent += 1;
    }
    await this.#console.print(
      `sent ${BURST_MESSAGES} messages of ${count(this.#burstBytes, 'byte')} (${this.#sent} in all)`,
    );
  }

  async setService(words: readonly string[]): Promise<void> {
    this.#service = this.#parse('service', serviceType, words[0] ?? '');
    this.#burstService = this.#service;
    await this.#showSendUsage();
  }

  async setType(words: readonly string[]): Promise<void> {
    this.#type = this.#parse('type', messageType, words[0] ?? '');
    await this.#showSendUsage();
  }

  async setDiscard(words: readonly string[]): Promise<void> {
    if (words[0] !== 'on' && words[0] !== 'off')
      throw new UserMistake(`discard must be on or off; got "${printable(words[0] ?? '')}"`);
    this.#discard = words[0] === 'on';
    await this.#showSendUsage();
  }

  async view(groups: readonly string[]): Promise<void> {
    for (const group of this.#groups(groups)) {
      const { view, inTransition } = await this.#mailbox.view(group, { signal: this.#signal });
      await this.#console.print(viewToText(view, this.#colors));
      if (inTransition) await this.#console.print('  (in transition: a new view will follow)');
    }
  }

  async info(): Promise<void> {
    const info = await this.#mailbox.info({ signal: this.#signal });
    const rows = {
      'private group': info.privateGroup,
      state: info.state.toLowerCase(),
      daemon: `${info.daemon}, Spread ${info.daemonVersion.join('.')}`,
      groups: info.groups.map((group) => printable(group)).join(', ') || 'none',
      received: `${info.lastSequence} events, ${info.waitingEvents} of them queued in the sidecar`,
      sent: `${count(info.messagesSent, 'message')}, ${count(info.payloadBytesSent, 'byte')}`,
      'display ID': info.displayId,
    };
    const lines = Object.entries(rows).map(([name, value]) => `  ${name.padEnd(14)}${value}`);
    await this.#console.print(lines.join('\n'));
  }

  async poll(): Promise<void> {
    const { bufferedEvents, waitingEvents } = await this.#mailbox.poll({ signal: this.#signal });
    const waiting = bufferedEvents + waitingEvents;
    await this.#console.print(waiting === 0 ? 'no events are queued' : `${count(waiting, 'queued event')}`);
  }

  async hold(): Promise<void> {
    if (this.#held) return;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#held = { release, released };
    this.#waiting.abort();
    await this.#console.print('receiving is stopped: r receives one event, e continues');
  }

  async go(): Promise<void> {
    this.#held?.release();
    this.#held = undefined;
  }

  async receiveOne(): Promise<void> {
    if (!this.#held) throw new UserMistake('receiving is not stopped; d stops it');
    try {
      await this.#print(await this.#mailbox.receive({ signal: this.#signal, timeoutMs: RECEIVE_MS }));
    } catch (error) {
      if ((error as SpreadError).statusName !== 'DEADLINE_EXCEEDED') throw error;
      await this.#console.print('no events are queued');
    }
  }

  help(): Promise<void> {
    return this.#console.print(userCommandHelp());
  }

  quit(): void {
    this.#quit = true;
  }

  async #commandLoop(): Promise<void> {
    while (!this.#quit) {
      const line = await this.#console.ask('user> ');
      if (line === undefined) break;
      const [, word, text = ''] = /^(\S+)(?:\s+(.*))?$/s.exec(line.trim()) ?? [];
      if (word) await this.#command(word, text);
    }
    if (!this.#console.isTerminal && !this.#signal.aborted) await this.#settle();
  }

  async #command(word: string, text: string): Promise<void> {
    const command = findUserCommand(word);
    const words = text.split(/\s+/).filter((part) => part !== '');
    try {
      if (!command) throw new UserMistake(`there is no command '${printable(word)}'; h lists them`);
      await command.run(this, words, text);
    } catch (error) {
      if (this.#signal.aborted) throw error;
      const { message } = error instanceof UserMistake ? error : describeFailure(error);
      await this.#console.print(this.#colors.red(message));
    }
  }

  /**
   * A script ends directly after its last command, but its messages must arrive first. It sends a message to
   * itself and waits for it, because that message comes after all others.
   */
  async #settle(): Promise<void> {
    await this.go();
    const bytes = randomBytes(16);
    let timer: NodeJS.Timeout | undefined;
    const seen = new Promise<void>((resolve) => {
      this.#settleMark = { bytes, seen: resolve };
      timer = setTimeout(resolve, SETTLE_MS);
    });
    const stop = new Promise<void>((resolve) =>
      this.#signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    await this.#mailbox.multicast(SAFE_MESS, this.#mailbox.privateGroup, bytes);
    await Promise.race([seen, stop]);
    clearTimeout(timer);
  }

  async #receiveLoop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#held?.released;
      this.#waiting = new AbortController();
      try {
        const event = await this.#mailbox.receive({
          signal: AbortSignal.any([signal, this.#waiting.signal]),
        });
        await this.#print(event);
      } catch (error) {
        if (!signal.aborted && !this.#waiting.signal.aborted) throw error;
      }
    }
  }

  async #print(event: SpreadEvent): Promise<void> {
    if (event.kind === 'view') this.#joined.add(event.group);
    else if (event.kind === 'selfLeave') this.#joined.delete(event.group);
    const mark = this.#settleMark;
    if (mark && event.kind === 'regular' && event.payload.equals(mark.bytes)) mark.seen();
    else await this.#console.print(eventToText(event, this.#colors));
  }

  async #multicast(groups: readonly string[], message: string): Promise<void> {
    const limits = { selfDiscard: this.#discard, signal: this.#signal };
    await this.#mailbox.multigroupMulticast(this.#service, groups, message, this.#type, limits);
    this.#sent += 1;
  }

  /**
   * A text after the name of a group looks like more groups. A warning, once for each group, shows where the text
   * would go.
   */
  async #warnOfStrangers(groups: readonly string[], isAsking: boolean): Promise<void> {
    const strangers = groups.filter(
      (group) => !group.startsWith('#') && !this.#joined.has(group) && !this.#warnedOf.has(group),
    );
    if (strangers.length === 0) return;
    for (const group of strangers) this.#warnedOf.add(group);
    const names = strangers.map((group) => printable(group)).join(', ');
    const how =
      isAsking && groups.length > 1 ? '; to send a text to one group, type: send <group>: <text>' : '';
    const each = strangers.length === 1 ? 'it' : 'them';
    const warning = `warning: no members of ${names} are known, because you have not joined ${each}${how}`;
    await this.#console.print(this.#colors.yellow(warning));
  }

  async #showSendUsage(): Promise<void> {
    const discard = this.#discard ? ', without a copy to yourself' : '';
    await this.#console.print(
      `messages are sent with service type ${serviceOfBits(this.#service)}, message type ${this.#type}${discard}`,
    );
  }

  #groups(groups: readonly string[]): readonly string[] {
    if (groups.length === 0)
      throw new UserMistake('a group is missing: write one or more groups after the command');
    for (const group of groups) this.groups.add(group);
    return groups;
  }

  #parse<T>(name: string, parse: (text: string) => T, text: string): T {
    try {
      return parse(text);
    } catch (error) {
      const expected = (error as Error).message.replace(/^It /, '').replace(/\.$/, '');
      throw new UserMistake(`${name} ${expected}; got "${printable(text)}"`);
    }
  }
}
