package spreadsidecar

import "time"

// Event is anything that a mailbox receives: one of [*RegularMessage], [*ViewMessage], [*TransitionalMessage],
// [*SelfLeaveMessage], [*RejectedMessage], [*ConnectionLost] and [*ConnectionRestored].
type Event interface {
	// Info is what every event has.
	Info() EventInfo
	isEvent()
}

// EventInfo is what every event has.
type EventInfo struct {
	// Sequence is the position in the mailbox: 1 for its first event, then always one more. 0 for a view or
	// self-leave that is the answer of a call and not one of the mailbox's events.
	Sequence uint64
	// ReceivedAt is when the sidecar read it from the daemon, by the sidecar's clock, to the millisecond. Zero where
	// Sequence is 0.
	ReceivedAt time.Time
}

// Info is the same as the fields.
func (i EventInfo) Info() EventInfo { return i }

// Content is what a [RegularMessage] or [RejectedMessage] carries. Groups may be shared with other messages and must
// not be changed; Payload belongs to whoever received the message.
type Content struct {
	// Sender is the private group of the sender, such as #alice#node1.
	Sender string
	// Groups is every destination as the sender named them: also groups that this mailbox is not in.
	Groups []string
	// ServiceType is one of UnreliableMess to SafeMess; 0 for a refused join or leave.
	ServiceType Service
	// MessageType is the sender's own number for it, -32768 to 32767.
	MessageType int
	// Payload is the bytes, exactly as sent.
	Payload []byte
	// EndianMismatch: the sender's machine has the other byte order than the sidecar's; the payload is not touched.
	EndianMismatch bool
	// SpreadType is the whole type word as Spread's C library returns it.
	SpreadType Service
}

// SelfDiscard tells whether the sender asked for no copy to itself.
func (c *Content) SelfDiscard() bool { return c.SpreadType.IsSelfDiscard() }

// Text is the payload as a string.
func (c *Content) Text() string { return string(c.Payload) }

// RegularMessage is a message that somebody multicast.
type RegularMessage struct {
	EventInfo
	Content
}

// RejectedOperation is what the daemon refused.
type RejectedOperation string

// What the daemon can refuse.
const (
	RejectedJoin      RejectedOperation = "JOIN"
	RejectedLeave     RejectedOperation = "LEAVE"
	RejectedMulticast RejectedOperation = "MULTICAST"
)

// RejectedMessage is something that this mailbox sent and the daemon's access policy refused.
type RejectedMessage struct {
	EventInfo
	Content
	// Operation is what was refused; empty if this release does not know it.
	Operation RejectedOperation
}

// MembershipMessage is any message about the membership of a group: [*ViewMessage], [*TransitionalMessage] or
// [*SelfLeaveMessage].
type MembershipMessage interface {
	Event
	// AboutGroup is the group that it is about.
	AboutGroup() string
	// Reason is CausedByJoin, CausedByLeave, CausedByDisconnect or CausedByNetwork; 0 for a transitional signal. A
	// self-leave has CausedByLeave.
	Reason() Service
}

// MembershipCause is why a view came to be.
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

// VirtualSynchronySet is members that moved together from one view to the next, and so received the same messages in between.
type VirtualSynchronySet struct {
	// Members is their private groups, in Spread's order.
	Members []string
	// Mine: it is the receiver's own. With one set only, that one is marked, whoever is in it.
	Mine bool
}

// ViewMessage is a new membership of a group: who is in it from now on.
type ViewMessage struct {
	EventInfo
	// Group is the group.
	Group string
	// GroupID is the identity of this membership.
	GroupID GroupID
	// Cause is why it came to be; empty if this release does not know it.
	Cause MembershipCause
	// Members is all members, in Spread's order, the same at all of them.
	Members []string
	// OwnIndex is the index of this mailbox in Members, from 0; -1 if it is not among them.
	OwnIndex int
	// ChangedMembers, for JOIN, LEAVE and DISCONNECT: the one member that came or went. NETWORK: the members that did
	// not come along with this mailbox from the view before.
	ChangedMembers []string
	// Sets is the virtual-synchrony sets, in the daemon's order.
	Sets []VirtualSynchronySet
}

// AboutGroup is Group.
func (v *ViewMessage) AboutGroup() string { return v.Group }

// Reason is the cause as Spread's bit.
func (v *ViewMessage) Reason() Service { return causeBits[v.Cause] }

// TransitionalMessage comes before a NETWORK view when daemons were lost. Messages between it and the view belong to
// the old view, and their guarantees hold only among the members who stay.
type TransitionalMessage struct {
	EventInfo
	// Group is the group.
	Group string
	// GroupID is the identity of the view that is ending.
	GroupID GroupID
}

// AboutGroup is Group.
func (t *TransitionalMessage) AboutGroup() string { return t.Group }

// Reason is 0.
func (t *TransitionalMessage) Reason() Service { return 0 }

// SelfLeaveMessage says that this mailbox has left a group: no further message or view of it follows.
type SelfLeaveMessage struct {
	EventInfo
	// Group is the group that was left.
	Group string
}

// AboutGroup is Group.
func (s *SelfLeaveMessage) AboutGroup() string { return s.Group }

// Reason is CausedByLeave.
func (s *SelfLeaveMessage) Reason() Service { return CausedByLeave }

// ConnectionLost says that the daemon connection was lost; only with MailboxOptions.Reconnect. Memberships and order end here.
type ConnectionLost struct {
	EventInfo
	// PrivateGroup is the private group that was lost.
	PrivateGroup string
	// Groups is the groups that the mailbox was in, in the order in which it joined them.
	Groups []string
	// SpreadCode is what happened, such as ConnectionClosed.
	SpreadCode Code
}

// ConnectionRestored says that the daemon connection stands again, as a new session; only with MailboxOptions.Reconnect.
type ConnectionRestored struct {
	EventInfo
	// PreviousPrivateGroup is the private group before.
	PreviousPrivateGroup string
	// PrivateGroup is the private group now.
	PrivateGroup string
	// Groups is the groups that are being joined again; a view follows for each.
	Groups []string
	// Daemon is the daemon that it is connected to now, as a spread name.
	Daemon string
}

func (*RegularMessage) isEvent()      {}
func (*RejectedMessage) isEvent()     {}
func (*ViewMessage) isEvent()         {}
func (*TransitionalMessage) isEvent() {}
func (*SelfLeaveMessage) isEvent()    {}
func (*ConnectionLost) isEvent()      {}
func (*ConnectionRestored) isEvent()  {}

// sizeOf is a rough size of an event in memory, for the inbox's bound.
func sizeOf(event Event) int {
	const fixed = 192
	switch event := event.(type) {
	case *RegularMessage:
		return fixed + len(event.Payload) + 16*len(event.Groups)
	case *RejectedMessage:
		return fixed + len(event.Payload) + 16*len(event.Groups)
	case *ViewMessage:
		return fixed + 48*(len(event.Members)+len(event.ChangedMembers))
	}
	return fixed
}
