/** One mistake in the configuration. */
export interface Mistake {
  /** The option's key, such as `daemon.connectTimeout`, or the unknown name. */
  readonly option: string;
  /** `flag --x`, `environment SPREAD_SIDECAR_X`, `file.yaml:12:3`, or `default`. */
  readonly where: string;
  /** A message with the option, the given value (never a secret) and the expected one. */
  readonly message: string;
}

/** All mistakes in the configuration. */
export class ConfigError extends Error {
  constructor(readonly mistakes: readonly Mistake[]) {
    const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
    super(
      [`${count} in the configuration:`, ...mistakes.map((m) => `  ${m.where}: ${m.message}`)].join('\n'),
    );
    this.name = 'ConfigError';
  }
}
