package spreadsidecar

import (
	"fmt"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
)

// VersionTriple is the version of a release: major, minor, patch.
type VersionTriple [3]int

// String returns the version, such as 5.0.1.
func (t VersionTriple) String() string { return fmt.Sprintf("%d.%d.%d", t[0], t[1], t[2]) }

// SidecarVersion has the versions of a sidecar and its daemon.
type SidecarVersion struct {
	// Sidecar is the sidecar's release, such as 0.1.0.
	Sidecar string
	// Contract is the package of the contract, spread.sidecar.v1.
	Contract string
	// ClientProtocol is the version that SP_version returns: the release of Spread whose client protocol the
	// sidecar uses.
	ClientProtocol VersionTriple
	// Daemon is the release of the default daemon. Nil while the sidecar is not connected to it.
	Daemon *VersionTriple
	// DaemonAddress is the Spread name of the default daemon. Empty while the sidecar is not connected to it.
	DaemonAddress string
	// EmbeddedDaemon means that the default daemon is the embedded daemon, for development and tests.
	EmbeddedDaemon bool
}

// MailboxState is the state of a mailbox.
type MailboxState string

// States of mailboxes.
const (
	StateOpen         MailboxState = "OPEN"
	StateReconnecting MailboxState = "RECONNECTING"
	StateEnded        MailboxState = "ENDED"
	StateUnknown      MailboxState = "UNKNOWN"
)

// QueueLimits has the limits of a mailbox's delivery queue in the sidecar.
type QueueLimits struct {
	// MaxEvents is the maximum number of queued events.
	MaxEvents uint64
	// MaxBytes is the maximum size of the queued events, as encoded.
	MaxBytes uint64
	// ReplayBytes is the replay window with AckAuto: the size of the delivered events that the sidecar retains.
	ReplayBytes uint64
	// Overflow states what the sidecar does at a limit.
	Overflow OverflowPolicy
	// SoftLimit is a limit that the queue may exceed for some time. Nil if there is none.
	SoftLimit *SoftLimit
}

// MailboxLimits has the limits of a mailbox.
type MailboxLimits struct {
	// Lease is the time that the mailbox lives without a receiver and without calls.
	Lease time.Duration
	// Queue has the limits of the delivery queue.
	Queue QueueLimits
	// MaxGroupsPerMessage is the maximum number of groups to which a message can be sent.
	MaxGroupsPerMessage int
	// MaxMessageBytes is the maximum of this sum: payload size + 32 × number of groups.
	MaxMessageBytes int
	// MaxGroups is the maximum number of groups that the mailbox can be in.
	MaxGroups int
	// MaxSendQueueBytes is the maximum size of the send queue to the daemon.
	MaxSendQueueBytes uint64
}

// MailboxInfo has the state and counters of a mailbox.
type MailboxInfo struct {
	// PrivateGroup is the private group of the mailbox.
	PrivateGroup string
	// State is the state of the mailbox.
	State MailboxState
	// Daemon is the Spread name of the daemon.
	Daemon string
	// DaemonVersion is the release of the daemon.
	DaemonVersion VersionTriple
	// Membership means that the mailbox receives membership messages.
	Membership bool
	// Acknowledgement is the acknowledgement mode.
	Acknowledgement AcknowledgementMode
	// Limits has the limits of the mailbox.
	Limits MailboxLimits
	// Groups has the groups of the mailbox, in the order in which the mailbox joined them.
	Groups []string
	// OpenedAt is the time when the mailbox was opened.
	OpenedAt time.Time
	// ReceiverAttached means that a Receive stream is attached.
	ReceiverAttached bool
	// LastSequence is the sequence of the last event from the daemon. 0 if none.
	LastSequence uint64
	// DeliveredSequence is the sequence of the last event that was delivered to a Receive stream. 0 if none.
	DeliveredSequence uint64
	// AcknowledgedSequence is the sequence of the last acknowledged event. With AckAuto, of the last event that
	// is no longer retained. 0 if none.
	AcknowledgedSequence uint64
	// WaitingEvents is the number of queued events, which were not yet delivered to a Receive stream.
	WaitingEvents uint64
	// WaitingBytes is the size of the queued events.
	WaitingBytes uint64
	// RetainedBytes is the size of all retained events, delivered or not.
	RetainedBytes uint64
	// MessagesSent is the number of messages passed to the daemon.
	MessagesSent uint64
	// PayloadBytesSent is the number of payload bytes passed to the daemon.
	PayloadBytesSent uint64
	// SendQueueBytes is the size of the send queue to the daemon.
	SendQueueBytes uint64
	// Paused means that the sidecar stopped reading from the daemon because the queue is full.
	Paused bool
	// LeaseEndsAt is the time when the lease expires if the mailbox is not used. Zero while a Receive stream
	// is attached.
	LeaseEndsAt time.Time
	// DisplayID is the display ID, which logs and metrics show. It is not a secret and gives no access.
	DisplayID string
	// SoftLimitEndsAt is the time when the sidecar ends the mailbox because its queue exceeds the soft limit.
	// Zero while the queue does not exceed the limit.
	SoftLimitEndsAt time.Time
}

// PollResult has the numbers of queued events.
type PollResult struct {
	// BufferedEvents is the number of events that Receive returns without a call to the sidecar.
	BufferedEvents int
	// WaitingEvents is the number of queued events in the sidecar.
	WaitingEvents uint64
	// WaitingBytes is the size of the queued events in the sidecar.
	WaitingBytes uint64
	// State is the state of the mailbox. It shows a lost daemon connection, which SP_poll does not
	// distinguish from an empty queue.
	State MailboxState
}

// CurrentView is the current view of a group.
type CurrentView struct {
	View *ViewMessage
	// InTransition means that a transitional signal followed the view. A NETWORK view will follow.
	InTransition bool
}

func toTriple(version *pb.Version) VersionTriple {
	return VersionTriple{int(version.GetMajor()), int(version.GetMinor()), int(version.GetPatch())}
}

func toState(state pb.MailboxState) MailboxState {
	switch state {
	case pb.MailboxState_MAILBOX_STATE_OPEN:
		return StateOpen
	case pb.MailboxState_MAILBOX_STATE_RECONNECTING:
		return StateReconnecting
	case pb.MailboxState_MAILBOX_STATE_ENDED:
		return StateEnded
	}
	return StateUnknown
}

func toAcknowledgement(mode pb.Acknowledgement) AcknowledgementMode {
	if mode == pb.Acknowledgement_ACKNOWLEDGEMENT_EXPLICIT {
		return AckExplicit
	}
	return AckAuto
}

func toLimits(limits *pb.MailboxLimits) MailboxLimits {
	queue := limits.GetQueue()
	result := MailboxLimits{
		Lease: limits.GetLease().AsDuration(),
		Queue: QueueLimits{
			MaxEvents:   queue.GetMaxEvents(),
			MaxBytes:    queue.GetMaxBytes(),
			ReplayBytes: queue.GetReplayBytes(),
			Overflow:    OverflowPause,
		},
		MaxGroupsPerMessage: int(limits.GetMaxGroupsPerMessage()),
		MaxMessageBytes:     int(limits.GetMaxMessageBytes()),
		MaxGroups:           int(limits.GetMaxGroups()),
		MaxSendQueueBytes:   limits.GetMaxSendQueueBytes(),
	}
	if queue.GetOverflow() == pb.OverflowPolicy_OVERFLOW_POLICY_DISCONNECT {
		result.Queue.Overflow = OverflowDisconnect
	}
	if soft := queue.GetSoftLimit(); soft != nil {
		result.Queue.SoftLimit = &SoftLimit{Fraction: soft.GetFraction(), Time: soft.GetTime().AsDuration()}
	}
	return result
}

func toInfo(mailbox *pb.Mailbox) *MailboxInfo {
	return &MailboxInfo{
		PrivateGroup:         mailbox.GetPrivateGroup(),
		State:                toState(mailbox.GetState()),
		Daemon:               mailbox.GetDaemon(),
		DaemonVersion:        toTriple(mailbox.GetDaemonVersion()),
		Membership:           mailbox.GetMembership(),
		Acknowledgement:      toAcknowledgement(mailbox.GetAcknowledgement()),
		Limits:               toLimits(mailbox.GetLimits()),
		Groups:               mailbox.GetGroups(),
		OpenedAt:             toTime(mailbox.GetOpenedAt()),
		ReceiverAttached:     mailbox.GetReceiverAttached(),
		LastSequence:         mailbox.GetLastSequence(),
		DeliveredSequence:    mailbox.GetDeliveredSequence(),
		AcknowledgedSequence: mailbox.GetAcknowledgedSequence(),
		WaitingEvents:        mailbox.GetWaitingEvents(),
		WaitingBytes:         mailbox.GetWaitingBytes(),
		RetainedBytes:        mailbox.GetRetainedBytes(),
		MessagesSent:         mailbox.GetMessagesSent(),
		PayloadBytesSent:     mailbox.GetPayloadBytesSent(),
		SendQueueBytes:       mailbox.GetSendQueueBytes(),
		Paused:               mailbox.GetPaused(),
		LeaseEndsAt:          toTime(mailbox.GetLeaseEndsAt()),
		DisplayID:            mailbox.GetDisplayId(),
		SoftLimitEndsAt:      toTime(mailbox.GetSoftLimitEndsAt()),
	}
}
