import { readFileSync } from 'node:fs';
import { fieldError, optionError, type SpreadError } from './spread-error.js';
import type { SecurityOptions, TlsOptions } from './transport-security.js';

/** The environment variable with the target. */
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
 * Fills in options from environment variables if the program sets no target. docs/client-environment.md has
 * the rules for all clients. If the program sets a target, the variables have no effect: a token must not go
 * to a sidecar for which it is not intended.
 *
 * @throws {@link SpreadError} FIELD_INVALID for an invalid variable or an unreadable file
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
    throw unreadable(variable, 'PEM', path, error);
  }
}

/** Reads the file before each call, so that the token can change while the program runs. */
function tokenFrom(environment: Environment): (() => string) | undefined {
  const path = environment[TOKEN_FILE];
  return path ? () => readToken(path) : undefined;
}

function readToken(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(TOKEN_FILE, 'text', path, error);
  }
  // The format of the sidecar's token files: lines may be comments, and a name may precede the token.
  const line = text.split('\n').find((one) => one.trim() !== '' && !one.trim().startsWith('#'));
  if (line === undefined) {
    const bound = 'the path of a file that contains a token';
    throw optionError(TOKEN_FILE, bound, `${TOKEN_FILE} must be ${bound}; ${path} contains no token`);
  }
  return line.trim().split(/\s+/).at(-1) as string;
}

function unreadable(variable: string, kind: string, path: string, error: unknown): SpreadError {
  const bound = `the path of a readable ${kind} file`;
  const reason = (error as NodeJS.ErrnoException).code ?? String(error);
  return optionError(variable, bound, `${variable} must be ${bound}; cannot read ${path}: ${reason}`);
}

function switchOf(environment: Environment, variable: string): boolean | undefined {
  const value = environment[variable];
  if (!value) return undefined;
  if (/^(true|1)$/i.test(value)) return true;
  if (/^(false|0)$/i.test(value)) return false;
  throw fieldError(variable, 'true, false, 1 or 0', value);
}
