// All names of Spread's C API (sp.h, sp_func.h of Spread 5.0.1) and of the Python wrapper, independent of the
// page that must contain them. The event loop and the flush library are one name each.

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Functions, types, macros, methods and attributes. */
export const API_NAMES: readonly string[] = words(`
  SP_version SP_set_auth_method SP_set_auth_methods SP_connect SP_connect_timeout SP_disconnect SP_kill
  SP_join SP_leave SP_multicast SP_scat_multicast SP_multigroup_multicast SP_multigroup_scat_multicast
  SP_receive SP_scat_receive SP_get_memb_info SP_get_vs_sets_info SP_get_vs_set_members
  SP_scat_get_memb_info SP_scat_get_vs_sets_info SP_scat_get_vs_set_members SP_poll SP_equal_group_ids
  SP_strerror SP_error E_* FL_*

  mailbox service scatter scat_element group_id vs_set_info int16 int32
  membership_info.gid membership_info.changed_member membership_info.num_vs_sets membership_info.my_vs_set

  Is_unreliable_mess Is_reliable_mess Is_fifo_mess Is_causal_mess Is_agreed_mess Is_safe_mess
  Is_regular_mess Is_self_discard Is_reg_memb_mess Is_transition_mess Is_caused_join_mess
  Is_caused_leave_mess Is_caused_disconnect_mess Is_caused_network_mess Is_membership_mess Is_reject_mess
  Is_self_leave Flip_int16 Flip_int32

  connect version SpreadError
  MailboxType MailboxType.private_group MailboxType.fileno MailboxType.join MailboxType.leave
  MailboxType.multicast MailboxType.multigroup_multicast MailboxType.receive MailboxType.poll
  MailboxType.disconnect
  RegularMsgType RegularMsgType.sender RegularMsgType.groups RegularMsgType.message RegularMsgType.msg_type
  RegularMsgType.endian
  MembershipMsgType MembershipMsgType.reason MembershipMsgType.group MembershipMsgType.group_id
  MembershipMsgType.members MembershipMsgType.extra
`);

/** Constants that are not errors. */
export const CONSTANT_NAMES: readonly string[] = words(`
  LOW_PRIORITY MEDIUM_PRIORITY HIGH_PRIORITY DEFAULT_SPREAD_PORT SPREAD_VERSION MAX_GROUP_NAME
  MAX_PRIVATE_NAME MAX_PROC_NAME MAX_CLIENT_SCATTER_ELEMENTS
  UNRELIABLE_MESS RELIABLE_MESS FIFO_MESS CAUSAL_MESS AGREED_MESS SAFE_MESS REGULAR_MESS SELF_DISCARD
  DROP_RECV REG_MEMB_MESS TRANSITION_MESS CAUSED_BY_JOIN CAUSED_BY_LEAVE CAUSED_BY_DISCONNECT
  CAUSED_BY_NETWORK MEMBERSHIP_MESS ENDIAN_RESERVED RESERVED REJECT_MESS ACCEPT_SESSION
  DEFAULT_BUFFER_SIZE DEFAULT_GROUPS_SIZE
`);

/** Errors, including those of the flush library (fl.h). */
export const ERROR_NAMES: readonly string[] = words(`
  ILLEGAL_SPREAD COULD_NOT_CONNECT REJECT_QUOTA REJECT_NO_NAME REJECT_ILLEGAL_NAME REJECT_NOT_UNIQUE
  REJECT_VERSION CONNECTION_CLOSED REJECT_AUTH ILLEGAL_SESSION ILLEGAL_SERVICE ILLEGAL_MESSAGE
  ILLEGAL_GROUP BUFFER_TOO_SHORT GROUPS_TOO_SHORT MESSAGE_TOO_LONG NET_ERROR_ON_SESSION SP_BUG ILLEGAL_TIME
  ILLEGAL_PARAM WOULD_BLOCK ILLEGAL_MESSAGE_TYPE ILLEGAL_STATE ILLEGAL_RECEIVERS
`);
