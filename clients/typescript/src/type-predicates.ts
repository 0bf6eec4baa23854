/**
 * The macros of Spread's C header for a service type word, for programs that use {@link
 * RegularMessage.spreadType}. Each function has the name of its macro.
 *
 * @module
 */
import * as c from './constants.js';

const any = (type: number, bits: number) => (type & bits) !== 0;

/** Is_unreliable_mess. */
export const isUnreliableMess = (type: number): boolean => any(type, c.UNRELIABLE_MESS);
/** Is_reliable_mess. */
export const isReliableMess = (type: number): boolean => any(type, c.RELIABLE_MESS);
/** Is_fifo_mess. */
export const isFifoMess = (type: number): boolean => any(type, c.FIFO_MESS);
/** Is_causal_mess. */
export const isCausalMess = (type: number): boolean => any(type, c.CAUSAL_MESS);
/** Is_agreed_mess. */
export const isAgreedMess = (type: number): boolean => any(type, c.AGREED_MESS);
/** Is_safe_mess. */
export const isSafeMess = (type: number): boolean => any(type, c.SAFE_MESS);
/** Is_regular_mess: a message of any service type that was not rejected. */
export const isRegularMess = (type: number): boolean =>
  any(type, c.REGULAR_MESS) && !any(type, c.REJECT_MESS);
/** Is_self_discard. */
export const isSelfDiscard = (type: number): boolean => any(type, c.SELF_DISCARD);
/** Is_reg_memb_mess: a view. */
export const isRegMembMess = (type: number): boolean => any(type, c.REG_MEMB_MESS);
/** Is_transition_mess. */
export const isTransitionMess = (type: number): boolean => any(type, c.TRANSITION_MESS);
/** Is_caused_join_mess. */
export const isCausedJoinMess = (type: number): boolean => any(type, c.CAUSED_BY_JOIN);
/** Is_caused_leave_mess. */
export const isCausedLeaveMess = (type: number): boolean => any(type, c.CAUSED_BY_LEAVE);
/** Is_caused_disconnect_mess. */
export const isCausedDisconnectMess = (type: number): boolean => any(type, c.CAUSED_BY_DISCONNECT);
/** Is_caused_network_mess. */
export const isCausedNetworkMess = (type: number): boolean => any(type, c.CAUSED_BY_NETWORK);
/** Is_membership_mess: a view, a transitional signal or a self-leave that was not rejected. */
export const isMembershipMess = (type: number): boolean =>
  any(type, c.MEMBERSHIP_MESS) && !any(type, c.REJECT_MESS);
/** Is_reject_mess. */
export const isRejectMess = (type: number): boolean => any(type, c.REJECT_MESS);
/** Is_self_leave: this mailbox left a group. */
export const isSelfLeave = (type: number): boolean =>
  any(type, c.CAUSED_BY_LEAVE) && !any(type, c.REG_MEMB_MESS | c.TRANSITION_MESS);
