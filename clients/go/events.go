package spreadsidecar

import "time"

// Event is a received event: [*RegularMessage], [*ViewMessage], [*TransitionalMessage], [*SelfLeaveMessage],
// [*RejectedMessage], [*ConnectionLost] or [*ConnectionRestored].
type Event interface {
	// Info returns the common part of all events.
	Info() EventInfo
	isEvent()
}

// EventInfo is the common part of all events.
type EventInfo struct {
	// Sequence is the position in the mailbox: 1 for the first event, then incremented by 1. 0 for the result of
	// a call, which is not an event of the mailbox.
	Sequence uint64
	// ReceivedAt is the time when the sidecar read the event from the daemon, by the sidecar's clock, in
	// millisecond resolution. Zero if Sequence is 0.
	ReceivedAt time.Time
}

// Info returns the fields.
func (i EventInfo) Info() EventInfo { return i }

// Content is the content of a [RegularMessage] or [RejectedMessage]. Several messages may share Groups: do
// not change it. The application may change Payload.
type Content struct {
	// Sender is the private group of the sender, such as #alice#node1.
	Sender string
	// Groups are all destinations that the sender named, including groups that this mailbox is not in.
	Groups []string
	// ServiceType is one of UnreliableMess to SafeMess. 0 for a rejected join or leave.
	ServiceType Service
	// MessageType is the message type, which the sender chose: -32768 to 32767.
	MessageType int
	// Payload has the bytes exactly as sent.
	Payload []byte
	// EndianMismatch means that the byte orders of the sender's and the sidecar's machine differ. The payload
	// is not converted.
	EndianMismatch bool
	// SpreadType is the complete service type word, as Spread's C library returns it.
	SpreadType Service
	// Headers are the headers of the message, by name. Headers is nil if the message has no headers. You can
	// read a nil map like an empty map.
	Headers map[string]string
}

// SelfDiscard reports whether the sender asked not to receive its own message.
func (c *Content) SelfDiscard() bool { return c.SpreadType.IsSelfDiscard() }

// Text returns the payload as a string.
func (c *Content) Text() string { return string(c.Payload) }

// RegularMessage is a message that a client has sent with a multicast.
type RegularMessage struct {
	EventInfo
	Content
}

// RejectedOperation is the operation that the daemon rejected.
type RejectedOperation string

// The operations that a daemon can reject.
const (
	RejectedJoin      RejectedOperation = "JOIN"
	RejectedLeave     RejectedOperation = "LEAVE"
	RejectedMulticast RejectedOperation = "MULTICAST"
)

// RejectedMessage is a join, leave or message of this mailbox that the daemon's access policy rejected.
type RejectedMessage struct {
	EventInfo
	Content
	// Operation is the rejected operation. Empty if this release does not know it.
	Operation RejectedOperation
}

// MembershipMessage is a message about the membership of a group: [*ViewMessage], [*TransitionalMessage] or
// [*SelfLeaveMessage].
type MembershipMessage interface {
	Event
	// AboutGroup returns the group.
	AboutGroup() string
	// Reason returns CausedByJoin, CausedByLeave, CausedByDisconnect or CausedByNetwork. 0 for a transitional
	// signal. CausedByLeave for a self-leave.
	Reason() Service
}

// MembershipCause is the cause of a view.
type MembershipCause string

// Causes of views.
const (
	CauseJoin       MembershipCause = "JOIN"
	CauseLeave      MembershipCause = "LEAVE"
	CauseDisconnect MembershipCause = "DISCONNECT"
	CauseNetwork    MembershipCause = "NETWORK"
)

var causeBits = map[MembershipCause]Service{
	CauseJoin:       CausedByJoin,
	CauseLeave:      CausedByLeave,
	CauseDisconnect: CausedByDisconnect,
	CauseNetwork:    CausedByNetwork,
}

// VirtualSynchronySet has the members that moved together from one view to the next view. Between these
// views, they received the same messages.
type VirtualSynchronySet struct {
	// Members has the private groups of these members, in Spread's order.
	Members []string
	// Mine means that this is the set of the receiving mailbox. If there is only one set, Mine is always
	// true.
	Mine bool
}

// ViewMessage is a new view: the members of a group from now on.
type ViewMessage struct {
	EventInfo
	// Group is the group.
	Group string
	// GroupID is the identity of the view.
	GroupID GroupID
	// Cause is the cause of the view. Empty if this release does not know it.
	Cause MembershipCause
	// Members has all members, in Spread's order. Every member gets the same order.
	Members []string
	// OwnIndex is the index of this mailbox in Members, starting at 0. -1 if it is not a member.
	OwnIndex int
	// ChangedMembers has the changed members. JOIN, LEAVE, DISCONNECT: the one member that joined or left.
	// NETWORK: the members that did not move with this mailbox from the previous view.
	ChangedMembers []string
	// Sets has the virtual synchrony sets, in the daemon's order.
	Sets []VirtualSynchronySet
}

// AboutGroup returns Group.
func (v *ViewMessage) AboutGroup() string { return v.Group }

// Reason returns the cause as Spread's bit.
func (v *ViewMessage) Reason() Service { return causeBits[v.Cause] }

// TransitionalMessage is a transitional signal. It precedes a NETWORK view after the loss of daemons.
// Messages between the signal and the view belong to the old view. Their guarantees hold only among the
// members that stay together.
type TransitionalMessage struct {
	EventInfo
	// Group is the group.
	Group string
	// GroupID is the identity of the view that ends.
	GroupID GroupID
}

// AboutGroup returns Group.
func (t *TransitionalMessage) AboutGroup() string { return t.Group }

// Reason returns 0.
func (t *TransitionalMessage) Reason() Service { return 0 }

// SelfLeaveMessage reports that this mailbox left a group. No further message or view of the group follows.
type SelfLeaveMessage struct {
	EventInfo
	// Group is the group.
	Group string
}

// AboutGroup returns Group.
func (s *SelfLeaveMessage) AboutGroup() string { return s.Group }

// Reason returns CausedByLeave.
func (s *SelfLeaveMessage) Reason() Service { return CausedByLeave }

// ConnectionLost reports that the sidecar lost the daemon connection. Only with MailboxOptions.Reconnect. The
// mailbox is no longer in its groups, and Spread's order of messages ends at this event.
type ConnectionLost struct {
	EventInfo
	// PrivateGroup is the lost private group.
	PrivateGroup string
	// Groups has the groups of the mailbox, in the order in which the mailbox joined them.
	Groups []string
	// SpreadCode is the cause, such as ConnectionClosed.
	SpreadCode Code
}

// ConnectionRestored reports that the sidecar reconnected to a daemon, with a new session and possibly a new
// private group. Only with MailboxOptions.Reconnect.
type ConnectionRestored struct {
	EventInfo
	// PreviousPrivateGroup is the previous private group.
	PreviousPrivateGroup string
	// PrivateGroup is the new private group.
	PrivateGroup string
	// Groups has the groups that the sidecar joins again. A view of each group follows.
	Groups []string
	// Daemon is the Spread name of the connected daemon.
	Daemon string
}

func (*RegularMessage) isEvent()      {}
func (*RejectedMessage) isEvent()     {}
func (*ViewMessage) isEvent()         {}
func (*TransitionalMessage) isEvent() {}
func (*SelfLeaveMessage) isEvent()    {}
func (*ConnectionLost) isEvent()      {}
func (*ConnectionRestored) isEvent()  {}

// sizeOf is the approximate memory of an event, for the inbox's limit.
func sizeOf(event Event) int {
	const fixed = 192
	switch event := event.(type) {
	case *RegularMessage:
		return fixed + len(event.Payload) + 16*len(event.Groups) + headersSize(event.Headers)
	case *RejectedMessage:
		return fixed + len(event.Payload) + 16*len(event.Groups) + headersSize(event.Headers)
	case *ViewMessage:
		return fixed + 48*(len(event.Members)+len(event.ChangedMembers))
	}
	return fixed
}
