import { MAX_PROC_NAME } from '../spread/wire/constants.js';

/** Longest daemon name in bytes: Spread's field has a closing NUL. */
export const MAX_DAEMON_NAME = MAX_PROC_NAME - 1;

const logging = 'logging is set by the options of the command';
const ring = 'there is no ring of daemons';
const runtime = 'the process stays what and where it was started';
const clientAuth = 'clients are accepted without authentication (method NULL)';

/** The form of a setting's value. */
export type ValueKind = 'word' | 'number' | 'boolean' | 'onOff' | 'flags' | 'optionalWord' | 'none';

export type Setting = readonly [kind: ValueKind, whyIgnored: string];

/** Every setting of Spread 5.0.1 but MaxSessionMessages: its value's form, and why it has no effect here. */
const settings: Readonly<Record<string, Setting>> = {
  DebugFlags: ['flags', logging],
  EventPriority: ['word', logging],
  EventLogFile: ['word', logging],
  EventTimeStamp: ['optionalWord', logging],
  EventPreciseTimeStamp: ['none', logging],
  DangerousMonitor: ['boolean', 'there is no monitor port'],
  SocketPortReuse: ['onOff', "the system's default is used"],
  RuntimeDir: ['word', runtime],
  DaemonUser: ['word', runtime],
  DaemonGroup: ['word', runtime],
  RequiredAuthMethods: ['word', clientAuth],
  AllowedAuthMethods: ['word', clientAuth],
  AccessControlPolicy: ['word', clientAuth],
  ActiveIPVersion: ['word', 'daemons do not talk to each other'],
  Window: ['number', ring],
  PersonalWindow: ['number', ring],
  AcceleratedRing: ['boolean', ring],
  AcceleratedWindow: ['number', ring],
  TokenTimeout: ['number', ring],
  HurryTimeout: ['number', ring],
  AliveTimeout: ['number', ring],
  JoinTimeout: ['number', ring],
  RepTimeout: ['number', ring],
  SegTimeout: ['number', ring],
  GatherTimeout: ['number', ring],
  FormTimeout: ['number', ring],
  LookupTimeout: ['number', ring],
  WideAreaNetwork: ['boolean', ring],
  ExcludeSegAddrsFromHash: ['boolean', ring],
  IgnoreMulticastJoinErrors: ['boolean', ring],
};

/** The setting of that name; undefined when Spread has none. */
export const settingOf = (name: string): Setting | undefined =>
  Object.hasOwn(settings, name) ? settings[name] : undefined;

/** Why a setting must not be ignored: the embedded daemon would let in whom the file keeps out. */
export function asksForAccessControl(setting: string, value: string): string | undefined {
  const methods = value.split(/\s+/).filter(Boolean);
  const sentence = `the embedded daemon has no authentication and no access control, so it does not run with`;
  if (setting === 'RequiredAuthMethods' && methods.some((method) => method !== 'NULL'))
    return `${sentence} RequiredAuthMethods = "${value}"; remove it or use real Spread`;
  if (setting === 'AllowedAuthMethods' && !methods.includes('NULL'))
    return `${sentence} AllowedAuthMethods = "${value}"; allow NULL or use real Spread`;
  if (setting === 'AccessControlPolicy' && value !== 'PERMIT')
    return `${sentence} AccessControlPolicy = "${value}"; only PERMIT will do`;
  return undefined;
}
