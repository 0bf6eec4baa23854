import { InvalidArgumentError, Option } from 'commander';

/** An option with a fixed set of values, which completion suggests. */
export class EnumeratedOption extends Option {
  constructor(
    flags: string,
    description: string,
    readonly values: readonly string[],
  ) {
    super(flags, description);
    this.argParser((text) => {
      if (!values.includes(text)) throw new InvalidArgumentError(`It must be one of ${values.join(', ')}.`);
      return text;
    });
  }
}
