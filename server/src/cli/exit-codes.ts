/** What the command's exit code says. docs/cli.md has the same table; a test compares them. */
export const ExitCode = {
  /** Success, including a requested stop. */
  ok: 0,
  /** It failed for a reason that has no code of its own, or a check found something wrong. */
  failure: 1,
  /** The command line, the environment or a configuration file is not right. Nothing was done. */
  usage: 2,
  /** The sidecar, or the Spread daemon behind it, can't be reached. */
  unreachable: 3,
  /** The sidecar or the daemon rejected: a name in use, a group that is not well formed, a limit. */
  refused: 4,
  /** The mailbox or the connection ended before the command was done. */
  endedEarly: 5,
  /** It took longer than it may. */
  timeout: 6,
  /** An address or socket to listen on is taken or can't be used. */
  cannotListen: 7,
} as const;

/** One sentence for each exit code, for `--help` and docs/cli.md. */
export const EXIT_CODES: readonly { readonly code: number; readonly meaning: string }[] = [
  {
    code: ExitCode.ok,
    meaning: 'Success, including a requested stop.',
  },
  { code: ExitCode.failure, meaning: 'Another failure, or a failed check.' },
  {
    code: ExitCode.usage,
    meaning: 'Invalid command line, environment or configuration. Nothing was done.',
  },
  { code: ExitCode.unreachable, meaning: 'The sidecar or the Spread daemon is unreachable.' },
  { code: ExitCode.refused, meaning: 'The sidecar or the daemon rejected a request.' },
  {
    code: ExitCode.endedEarly,
    meaning: 'The mailbox or the connection ended before the command was complete.',
  },
  { code: ExitCode.timeout, meaning: 'A time limit passed.' },
  { code: ExitCode.cannotListen, meaning: 'A listen address or socket is in use or not usable.' },
  { code: 130, meaning: 'Interrupted (SIGINT) before completion, or by a second SIGINT.' },
  { code: 143, meaning: 'Terminated (SIGTERM) before completion, or by a second SIGTERM.' },
];
