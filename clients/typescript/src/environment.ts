import { readFileSync } from 'node:fs';
import { fieldError } from './spread-error.js';
import type { SecurityOptions, TlsOptions } from './transport-security.js';

/** The variable that names the sidecar. */
export const TARGET_VARIABLE = 'SPREAD_SIDECAR_TARGET';
const TLS = 'SPREAD_SIDECAR_TLS';
const CA = 'SPREAD_SIDECAR_TLS_CA';
const CERT = 'SPREAD_SIDECAR_TLS_CERT';
const KEY = 'SPREAD_SIDECAR_TLS_KEY';
const SERVER_NAME = 'SPREAD_SIDECAR_TLS_SERVER_NAME';
const TOKEN_FILE = 'SPREAD_SIDECAR_TOKEN_FILE';
const INSECURE = 'SPREAD_SIDECAR_INSECURE';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fills in what the environment says, where the program names no target: docs/client-environment.md has the rules for every
 * client. A target of the program's own keeps the environment out: a token must not go to a sidecar that it is not for.
 *
 * @throws {@link SpreadError} FIELD_INVALID for a variable with a wrong value and for a file that cannot be read
 */
export function completeOptions<Options extends SecurityOptions & { target?: string }>(
  options: Options,
  environment: Environment,
): Options {
  if (options.target) return options;
  const { credentials } = options;
  return {
    ...options,
    target: environment[TARGET_VARIABLE] || undefined,
    tls: options.tls ?? (credentials === undefined ? tlsFrom(environment) : undefined),
    token: options.token ?? tokenFrom(environment),
    insecure: options.insecure ?? switchOf(environment, INSECURE),
  };
}

function tlsFrom(environment: Environment): TlsOptions | undefined {
  const [ca, cert, key, serverName] = [CA, CERT, KEY, SERVER_NAME].map(
    (name) => environment[name] || undefined,
  );
  if (!(switchOf(environment, TLS) || ca || cert || key || serverName)) return undefined;
  return {
    ca: pem(CA, ca),
    cert: pem(CERT, cert),
    // The private key may be in the file of the certificate.
    key: key ? pem(KEY, key) : pem(CERT, cert),
    serverName,
  };
}

function pem(variable: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw fieldError(variable, `the path of a readable PEM file (${codeOf(error)})`, path);
  }
}

/** The file is read before each call, so that a token can be replaced while the program runs. */
function tokenFrom(environment: Environment): (() => string) | undefined {
  const path = environment[TOKEN_FILE];
  return path ? () => readToken(path) : undefined;
}

function readToken(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fieldError(TOKEN_FILE, `the path of a readable text file (${codeOf(error)})`, path);
  }
  // As in the sidecar's own token files: comments count for nothing, and a name may precede the token.
  const line = text.split('\n').find((one) => one.trim() !== '' && !one.trim().startsWith('#'));
  if (line === undefined) throw fieldError(TOKEN_FILE, 'the path of a file with a token', path);
  return line.trim().split(/\s+/).at(-1) as string;
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error);

function switchOf(environment: Environment, variable: string): boolean | undefined {
  const value = environment[variable];
  if (!value) return undefined;
  if (/^(true|1)$/i.test(value)) return true;
  if (/^(false|0)$/i.test(value)) return false;
  throw fieldError(variable, 'true, false, 1 or 0', value);
}
