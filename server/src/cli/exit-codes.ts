/** The exit codes of the command. docs/cli.md has the same table, and a test compares them. */
export const ExitCode = {
  /** Success, including a requested stop. */
  ok: 0,
  /** A failure without a separate exit code, or a failed check. */
  failure: 1,
  /** The command line, the environment or a configuration file is invalid. Nothing was done. */
  usage: 2,
  /** The sidecar or its Spread daemon cannot be reached. */
  unreachable: 3,
  /**
   * The sidecar or the daemon rejected the command, for example because of a name in use, a malformed group or a
   * limit.
   */
  refused: 4,
  /** The mailbox or the connection ended before the command was done. */
  endedEarly: 5,
  /** The timeout expired. */
  timeout: 6,
  /** A listen address or socket is in use or unusable. */
  cannotListen: 7,
} as const;

/** One sentence for each exit code, for `--help` and docs/cli.md. */
export const EXIT_CODES: readonly { readonly code: number; readonly meaning: string }[] = [
  {
    code: ExitCode.ok,
    meaning: 'Success, including a requested stop.',
  },
  { code: ExitCode.failure, meaning: 'A failure without its own exit code, or a failed check.' },
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
