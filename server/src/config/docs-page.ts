import {
  CONFIG_FILE,
  ENVIRONMENT_PREFIX,
  type OptionRow,
  optionRows,
  sectionEntries,
} from './option-rows.js';

/** Generates docs/configuration.md from the table of options. */
export function configurationPage(): string {
  return `${[intro(), ...sectionEntries().map(([section]) => sectionText(section))].join('\n\n')}\n`;
}

function intro(): string {
  return `<!-- Generated from server/src/config/options.ts by \`npm run gen\`. Do not edit. -->

# Configuration

For operators: every option of the sidecar, with its flag, environment variable, default and range.

Every option has a key in a YAML file and an environment variable. Every option except secrets also has a flag of
\`spread-sidecar serve\`. Flags override environment variables, environment variables override the file, and the file overrides the defaults.

\`\`\`yaml
# spread-sidecar serve --config sidecar.yaml
grpc:
  listen: [127.0.0.1:4813, unix:/run/spread-sidecar/grpc.sock]
daemon:
  addresses: [4803@spread1.example, 4803@spread2.example]
mailbox:
  queueMaxBytes: 16MiB
\`\`\`

- \`--${CONFIG_FILE.flag}\` or \`${CONFIG_FILE.environment}\` names the file. If neither is set, the sidecar reads no file.
- The sidecar reports all mistakes at once, with the flag, the variable, or the line and column of the file. Mistakes are unknown keys and flags, unknown variables that begin with
  \`${ENVIRONMENT_PREFIX}\`, and conflicting options. Values outside their range are mistakes too, even if another source overrides them.
  The sidecar ignores the variables that Kubernetes sets for a Service whose name begins with \`spread-sidecar\`.
- An empty value does not mean the default: \`${ENVIRONMENT_PREFIX}DAEMON_ALLOW=\` sets an empty list. To use the default, leave the variable unset.
- **Durations** always have a unit: \`500ms\`, \`30s\`, \`1m30s\`, \`1h\`.
- **Sizes** are \`64MiB\` or \`64Mi\` (1024²), or \`64MB\` (1000²). A number without a unit is in bytes.
- **Booleans** are \`true\` or \`false\`. The flag \`--x\` alone means \`true\`, and \`--no-x\` means \`false\`.
- **Lists**: separate the values with commas, write a YAML sequence in the file, or repeat the flag.
- Secrets have no flag. Every output of the configuration shows \`[redacted]\` instead of a secret.
- \`spread-sidecar serve --print-config\` prints the effective configuration, with the source of each value. It prints defaults as comments. \`spread-sidecar check\` checks the configuration.`;
}

function sectionText(section: string): string {
  const entry = sectionEntries().find(([name]) => name === section)![1];
  const rows = optionRows.filter((row) => row.section === section);
  return [`## ${entry.title}: \`${section}\``, entry.text, ...rows.map(optionText)].join('\n\n');
}

function optionText(row: OptionRow): string {
  const value = row.default === '' ? 'empty' : `\`${row.default}\``;
  return [
    `### \`${row.key}\``,
    row.text,
    [
      `- Must be ${row.type.expects}.${row.secret ? ' Secret.' : ''}`,
      `- Default: ${value}. ${row.why}`,
      `- ${row.flag === undefined ? 'No flag' : `\`--${row.flag}\``} · \`${row.environment}\``,
    ].join('\n'),
  ].join('\n\n');
}
