import { DriverError } from './protocol.js';

/** Things by the names of the requests. */
export class Named<Thing> extends Map<string, Thing> {
  constructor(private readonly what: string) {
    super();
  }

  of(name: string): Thing {
    const thing = this.get(name);
    if (thing === undefined) throw new DriverError(`no ${this.what} is called ${name}`);
    return thing;
  }
}
