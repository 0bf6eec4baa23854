import {
  DAEMON_MAX_DATA,
  ENDIAN_RESERVED,
  type FrameLimits,
  type Header,
  HINT_TYPE_MASK,
  JOIN_MESS,
  KILL_MESS,
  LEAVE_MESS,
  MAX_GROUP_NAME,
  MAX_GROUPS,
  MAX_MESSAGE_BODY,
  REGULAR_MESS,
  WireError,
} from '../spread/wire/index.js';

/**
 * The largest body that a client may announce. Real Spread disconnects a session above 143,952 bytes of body.
 * Below that, it aborts from 143,153 on (transcript 50-crash-zone-payload) and corrupts its heap at 143,152
 * (transcript 49-max-payload). The embedded daemon disconnects the client from 143,152 on, so a test finds such a
 * message before a real daemon does.
 */
export const INPUT_LIMITS: FrameLimits = Object.freeze({
  maxGroups: MAX_GROUPS,
  maxData: DAEMON_MAX_DATA,
  maxBody: MAX_MESSAGE_BODY,
});

const COMMANDS = JOIN_MESS | LEAVE_MESS | KILL_MESS;
const ACTIONS = REGULAR_MESS | COMMANDS;
/**
 * Membership, reject and internal bits. Real Spread forwards some of them, so that a client can forge views
 * (transcript 58-extra-type-bits), and crashes because of others (transcript 60-crash-groups-bit). No real library
 * sends them.
 */
const FORBIDDEN = 0x00f8ff00;
const ALLOWED_HINT = ENDIAN_RESERVED | HINT_TYPE_MASK;

/**
 * Rejects a header for which real Spread ends the session, or should end it (Spread 5.0.1, transcripts
 * 57-bad-type-bits, 61-forged-private-group, 63-bad-lengths). The decoder has checked the counts before.
 * @throws WireError ILLEGAL_MESSAGE
 */
export function checkHeader(header: Header, privateGroup: string): void {
  const { type, hint } = header;
  const actions = type & ACTIONS;
  // Exactly one bit: one service or one command.
  if (actions === 0 || (actions & (actions - 1)) !== 0)
    throw illegal(
      'type',
      `type 0x${type.toString(16)} must be exactly one of: a service type, join, leave, kill`,
    );
  if ((type & FORBIDDEN) !== 0)
    throw illegal('type', `type 0x${type.toString(16)} has bits that only daemons may set`);
  if ((hint & ~ALLOWED_HINT) !== 0)
    throw illegal('hint', `hint 0x${hint.toString(16)} has bits outside the message type`);
  // The field's last byte counts as NUL, whatever its value is (transcript 62).
  if (header.privateGroup.slice(0, MAX_GROUP_NAME - 1) !== privateGroup)
    throw illegal('private_group', 'private_group is not the private group of this session');
}

const illegal = (field: string, message: string): WireError =>
  new WireError('ILLEGAL_MESSAGE', field, message);
