// The only table of options. Flags, environment variables, file keys, help, docs/configuration.md and the type of
// the configuration are derived from it. Each default has the form that an operator would write, and is parsed
// like any other value. `why` is its reason.
import { admin } from './sections/admin.js';
import { daemon } from './sections/daemon.js';
import { drain } from './sections/drain.js';
import { embedded } from './sections/embedded.js';
import { grpc } from './sections/grpc.js';
import { limits } from './sections/limits.js';
import { log } from './sections/log.js';
import { mailbox } from './sections/mailbox.js';
import { memory } from './sections/memory.js';
import { receive } from './sections/receive.js';
import type { Option, Section } from './sections/section.js';
import { tracing } from './sections/tracing.js';

export type { Option, Section };

export const sections = {
  grpc,
  admin,
  daemon,
  embedded,
  mailbox,
  receive,
  memory,
  limits,
  drain,
  log,
  tracing,
} satisfies Readonly<Record<string, Section>>;

type Sections = typeof sections;

/**
 * The configuration: `config.<section>.<option>` of the table. Durations are milliseconds, sizes are bytes, file modes are
 * numbers, addresses are parsed.
 */
export type SidecarConfig = {
  readonly [S in keyof Sections]: {
    readonly [K in keyof Sections[S]['options']]: Sections[S]['options'][K] extends Option<infer T>
      ? T
      : never;
  };
};

/** `grpc.listen`, `mailbox.leaseMax`, … */
export type OptionKey = {
  [S in keyof Sections]: `${S}.${keyof Sections[S]['options'] & string}`;
}[keyof Sections];
