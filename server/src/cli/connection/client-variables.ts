/** The environment variable with the sidecar's target, for commands that use a sidecar. */
export const TARGET_VARIABLE = 'SPREAD_SIDECAR_TARGET';

/** The environment variables of commands that use a sidecar; the others with this prefix are the sidecar's own options. */
export const CLIENT_VARIABLES = [
  TARGET_VARIABLE,
  'SPREAD_SIDECAR_TLS',
  'SPREAD_SIDECAR_TLS_CA',
  'SPREAD_SIDECAR_TLS_CERT',
  'SPREAD_SIDECAR_TLS_KEY',
  'SPREAD_SIDECAR_TLS_SERVER_NAME',
  'SPREAD_SIDECAR_TOKEN_FILE',
  'SPREAD_SIDECAR_INSECURE',
];
