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

Every option has a key in a YAML file, an environment variable and a flag of \`spread-sidecar serve\`. Flags override the
environment, which overrides the file, which overrides the default.

\`\`\`yaml
# spread-sidecar serve --config sidecar.yaml
grpc:
  listen: [127.0.0.1:4813, unix:/run/spread-sidecar/grpc.sock]
daemon:
  addresses: [4803@spread1.example, 4803@spread2.example]
mailbox:
  queueMaxBytes: 16MiB
\`\`\`

- The file is named by \`--${CONFIG_FILE.flag}\` or \`${CONFIG_FILE.environment}\`. There is none by default.
- The sidecar reports all mistakes at once, with the flag, variable, or line and column. Mistakes are unknown flags, variables that begin with \`${ENVIRONMENT_PREFIX}\` or unknown
  keys, and conflicting options. Values outside their range are mistakes too, even if another source overrides them.
  The sidecar ignores the variables that Kubernetes sets for a Service named \`spread-sidecar…\`.
- An empty value is a value, not the default: \`${ENVIRONMENT_PREFIX}DAEMON_ALLOW=\` is an empty list. Leave a variable unset to use the default.
- **Durations**: \`500ms\`, \`30s\`, \`1m30s\`, \`1h\`; always with a unit. **Sizes**: \`64MiB\` or \`64Mi\` (1024²), \`64MB\` (1000²), plain digits are bytes.
  **Booleans**: \`true\`, \`false\`; as a flag also \`--x\` and \`--no-x\`. **Lists**: comma separated, in the file a sequence; a flag may be repeated.
- Secrets have no flag, and every output of the configuration redacts them.
- \`spread-sidecar serve --print-config\` prints the effective configuration with the source of each value, and defaults as comments. \`spread-sidecar check\` checks it.`;
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
