/** One thing that is wrong with the configuration. */
export interface Mistake {
  /** The option's key, such as `daemon.connectTimeout`, or the name that is unknown. */
  readonly option: string;
  /** `flag --x`, `environment SPREAD_SIDECAR_X`, `file.yaml:12:3`, or `default`. */
  readonly where: string;
  /** A sentence that names the option, what was given (never a secret) and what it must be. */
  readonly message: string;
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigError extends Error {
  constructor(readonly mistakes: readonly Mistake[]) {
    const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
    super(
      [`${count} in the configuration:`, ...mistakes.map((m) => `  ${m.where}: ${m.message}`)].join('\n'),
    );
    this.name = 'ConfigError';
  }
}
