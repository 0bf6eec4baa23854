import { InvalidArgumentError, Option } from 'commander';

/** An option with values that completion in a shell suggests. */
export class SuggestingOption extends Option {
  /** @param suggestions - some values; empty: completion suggests none */
  constructor(
    flags: string,
    description: string,
    readonly suggestions: readonly string[],
  ) {
    super(flags, description);
  }
}

/** An option that accepts only a fixed set of values. */
export class EnumeratedOption extends SuggestingOption {
  constructor(flags: string, description: string, values: readonly string[]) {
    super(flags, description, values);
    this.argParser((text) => {
      if (!values.includes(text)) throw new InvalidArgumentError(`It must be one of ${values.join(', ')}.`);
      return text;
    });
  }
}
