import { generate } from 'selfsigned';

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

type Extensions = NonNullable<NonNullable<Parameters<typeof generate>[1]>['extensions']>;

const DAY = 24 * 3600 * 1000;

/** A certificate authority for a test, only in memory. */
export class TestAuthority {
  private constructor(readonly own: Certificate) {}

  static async create(name = 'test authority'): Promise<TestAuthority> {
    return new TestAuthority(
      await make(name, [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      ]),
    );
  }

  /** The certificate that clients trust. */
  get cert(): string {
    return this.own.cert;
  }

  /** A certificate for 127.0.0.1 and localhost. */
  server(name = 'sidecar', valid: Validity = {}): Promise<Certificate> {
    const names = [
      { type: 2 as const, value: 'localhost' },
      { type: 7 as const, ip: '127.0.0.1' },
    ];
    return this.#issue(name, [{ name: 'subjectAltName', altNames: names }, usage('serverAuth')], valid);
  }

  /** A certificate for one host name. */
  serverNamed(host: string): Promise<Certificate> {
    return this.#issue(
      host,
      [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }, usage('serverAuth')],
      {},
    );
  }

  client(name: string, valid: Validity = {}): Promise<Certificate> {
    const names = [{ type: 6 as const, value: `spiffe://test/${name}` }];
    return this.#issue(name, [{ name: 'subjectAltName', altNames: names }, usage('clientAuth')], valid);
  }

  #issue(name: string, extensions: Extensions, valid: Validity): Promise<Certificate> {
    return make(name, [{ name: 'basicConstraints', cA: false }, ...extensions], valid, this.own);
  }
}

/** Days from now. Default: yesterday to tomorrow. */
interface Validity {
  readonly from?: number;
  readonly to?: number;
}

const usage = (purpose: 'serverAuth' | 'clientAuth') => ({ name: 'extKeyUsage' as const, [purpose]: true });

async function make(
  name: string,
  extensions: Extensions,
  { from = -1, to = 1 }: Validity = {},
  authority?: Certificate,
): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + from * DAY),
    notAfterDate: new Date(Date.now() + to * DAY),
    extensions,
    ...(authority ? { ca: authority } : {}),
  });
  return { cert: made.cert, key: made.private };
}
