import { MAX_PROC_NAME } from '../../spread/wire/constants.js';
import type { Token } from './lexer.js';

/** Longest daemon name in bytes. Spread's field has a final NUL. */
export const MAX_DAEMON_NAME = MAX_PROC_NAME - 1;

const logging = 'the options of the command set the logging';
const ring = 'there is no ring of daemons';
const runtime = 'the process keeps its user and its working directory';
const clientAuth = 'the daemon accepts clients without authentication (method NULL)';

/** The form of a setting's value. */
export type ValueKind =
  | 'string'
  | 'number'
  | 'boolean'
  | 'onOff'
  | 'priority'
  | 'flags'
  | 'optionalString'
  | 'ipVersion'
  | 'none';

export type Setting = readonly [kind: ValueKind, whyIgnored: string];

/**
 * Every setting of Spread 5.0.1 except MaxSessionMessages: the form of its value, and the reason why it has no
 * effect here.
 */
const settings: Readonly<Record<string, Setting>> = {
  DebugFlags: ['flags', logging],
  EventPriority: ['priority', logging],
  EventLogFile: ['string', logging],
  EventTimeStamp: ['optionalString', logging],
  EventPreciseTimeStamp: ['none', logging],
  DangerousMonitor: ['boolean', 'there is no monitor port'],
  SocketPortReuse: ['onOff', 'the daemon uses the default of the system'],
  RuntimeDir: ['string', runtime],
  DaemonUser: ['string', runtime],
  DaemonGroup: ['string', runtime],
  RequiredAuthMethods: ['string', clientAuth],
  AllowedAuthMethods: ['string', clientAuth],
  AccessControlPolicy: ['string', clientAuth],
  ActiveIPVersion: ['ipVersion', 'a single node does not communicate with other daemons'],
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

/** Flags of DebugFlags. */
const FLAGS = new Set(
  (
    'ALL EXIT DATA_LINK MEMORY EVENTS PRINT NETWORK PROTOCOL SESSION CONFIGURATION MEMBERSHIP FLOW_CONTROL STATUS ' +
    'DEBUG GROUPS SKIPLIST ACM SECURITY NONE'
  ).split(' '),
);
/** Spread reads the word DEBUG as a flag, so the lowest priority is written pDEBUG. */
const PRIORITIES = new Set('pDEBUG INFO WARNING ERROR CRITICAL FATAL'.split(' '));
const SYNTAX = new Set('Spread_Segment MaxSessionMessages VirtualID M C D :'.split(' '));

export const isDebugFlag = (word: string): boolean => FLAGS.has(word);
export const isPriority = (word: string): boolean => PRIORITIES.has(word);

/** Whether a word without quotes has a special meaning for Spread, so that it is neither a name nor text. */
export const isReserved = (word: string): boolean =>
  SYNTAX.has(word) ||
  FLAGS.has(word) ||
  PRIORITIES.has(word) ||
  Object.hasOwn(settings, word) ||
  /^(true|yes|on|false|no|off|auto)$/i.test(word);

/** Limits that are compiled into Spread 5.0.1. */
export const MAX_SEGMENTS = 20;
export const MAX_DAEMONS = 128;
export const MAX_SEGMENT_ADDRESSES = 5;
export const MAX_INTERFACES = 10;

/** Largest number in the file: Spread reads more than nine digits as text. */
export const MAX_NUMBER = 999_999_999;

/** Smallest value of a setting that is a number. */
export const leastOf = (setting: string): number => (setting === 'AcceleratedWindow' ? 0 : 1);

/** The setting with that name. Undefined when Spread has none. */
export const settingOf = (name: string): Setting | undefined =>
  Object.hasOwn(settings, name) ? settings[name] : undefined;

/**
 * The reason why a setting must not be ignored: the embedded daemon would accept clients that the file excludes.
 */
export function asksForAccessControl(setting: string, { text, source }: Token): string | undefined {
  const methods = text.split(/\s+/).filter(Boolean);
  const sentence = `the embedded daemon has no authentication and no access control, so it does not accept`;
  if (setting === 'RequiredAuthMethods' && methods.some((method) => method !== 'NULL'))
    return `${sentence} RequiredAuthMethods = ${source}; remove the setting, or use a real daemon`;
  if (setting === 'AllowedAuthMethods' && !methods.includes('NULL'))
    return `${sentence} AllowedAuthMethods = ${source}; allow NULL, or use a real daemon`;
  if (setting === 'AccessControlPolicy' && text !== 'PERMIT')
    return `${sentence} AccessControlPolicy = ${source}; only PERMIT is supported`;
  return undefined;
}
