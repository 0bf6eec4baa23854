/**
 * The actions of the commands of `user`. `words` are the arguments, `text` is the unchanged text after the
 * command.
 */
export interface UserActions {
  join(groups: readonly string[]): Promise<void>;
  leave(groups: readonly string[]): Promise<void>;
  send(text: string): Promise<void>;
  sendLines(groups: readonly string[]): Promise<void>;
  burst(groups: readonly string[]): Promise<void>;
  setService(words: readonly string[]): Promise<void>;
  setType(words: readonly string[]): Promise<void>;
  setDiscard(words: readonly string[]): Promise<void>;
  view(groups: readonly string[]): Promise<void>;
  info(): Promise<void>;
  poll(): Promise<void>;
  hold(): Promise<void>;
  receiveOne(): Promise<void>;
  go(): Promise<void>;
  help(): Promise<void>;
  quit(): void;
}

/** One command of `user`. */
export interface UserCommand {
  /** spuser's letter first if it has one, then words. */
  readonly names: readonly string[];
  readonly argument: string;
  readonly text: string;
  run(session: UserActions, words: readonly string[], text: string): Promise<void>;
}

/**
 * Letters and their actions are those of spuser, so that its users and scripts work. Words are additional names.
 */
export const userCommands: readonly UserCommand[] = [
  {
    names: ['j', 'join'],
    argument: '<group>…',
    text: 'join groups',
    run: (session, groups) => session.join(groups),
  },
  {
    names: ['l', 'leave'],
    argument: '<group>…',
    text: 'leave groups',
    run: (session, groups) => session.leave(groups),
  },
  {
    names: ['s', 'send'],
    argument: '<group>…[: <text>]',
    text: 'send a message: the text, or the next line',
    run: (session, _words, text) => session.send(text),
  },
  {
    names: ['m', 'multiline'],
    argument: '<group>…',
    text: 'send several lines; an empty line ends them',
    run: (session, groups) => session.sendLines(groups),
  },
  {
    names: ['b', 'burst'],
    argument: '<group>…',
    text: 'send ten messages; the command asks for their size',
    run: (session, groups) => session.burst(groups),
  },
  {
    names: ['service'],
    argument: '<name>',
    text: 'unreliable, reliable, fifo, causal, agreed or safe',
    run: (session, words) => session.setService(words),
  },
  {
    names: ['type'],
    argument: '<number>',
    text: 'message type that you send, -32768 to 32767',
    run: (session, words) => session.setType(words),
  },
  {
    names: ['discard'],
    argument: 'on|off',
    text: 'send without a copy to yourself',
    run: (session, words) => session.setDiscard(words),
  },
  {
    names: ['v', 'view'],
    argument: '<group>…',
    text: 'current members of a group',
    run: (session, groups) => session.view(groups),
  },
  {
    names: ['i', 'info'],
    argument: '',
    text: 'state and counters of this mailbox',
    run: (session) => session.info(),
  },
  {
    names: ['p', 'poll'],
    argument: '',
    text: 'number of queued events',
    run: (session) => session.poll(),
  },
  {
    names: ['d', 'hold'],
    argument: '',
    text: 'stop receiving',
    run: (session) => session.hold(),
  },
  {
    names: ['r', 'receive'],
    argument: '',
    text: 'receive one event while receiving is stopped',
    run: (session) => session.receiveOne(),
  },
  {
    names: ['e', 'go'],
    argument: '',
    text: 'continue receiving',
    run: (session) => session.go(),
  },
  {
    names: ['h', 'help', '?'],
    argument: '',
    text: 'print this list',
    run: (session) => session.help(),
  },
  {
    names: ['q', 'quit', 'exit', 'bye'],
    argument: '',
    text: 'disconnect and exit',
    run: async (session) => session.quit(),
  },
];

/** The command with this name. */
export function findUserCommand(word: string): UserCommand | undefined {
  return userCommands.find((command) => command.names.includes(word));
}

/** Groups and, after a word with a final colon, the message: `cats dogs: hello`. */
export function parseSend(text: string): { readonly groups: readonly string[]; readonly message?: string } {
  const match = /^(.*?\S):(?:\s+(.*))?$/s.exec(text);
  const groups = (match?.[1] ?? text).split(/\s+/).filter((word) => word !== '');
  const message = match?.[2];
  return message === undefined || message === '' ? { groups } : { groups, message };
}

/** The list that `help` prints. */
export function userCommandHelp(): string {
  const rows = userCommands.map(
    ({ names, argument, text }) => [`${names.join(', ')} ${argument}`.trim(), text] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, text]) => `  ${left.padEnd(width)}  ${text}`).join('\n');
}
