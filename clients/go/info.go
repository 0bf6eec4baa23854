package spreadsidecar

import (
	"fmt"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
)

// VersionTriple is three numbers that name a release: major, minor, patch.
type VersionTriple [3]int

// String is such as 5.0.1.
func (t VersionTriple) String() string { return fmt.Sprintf("%d.%d.%d", t[0], t[1], t[2]) }

// SidecarVersion has the versions of a sidecar and of what is behind it.
type SidecarVersion struct {
	// Sidecar is the sidecar's release, such as 0.1.0.
	Sidecar string
	// Contract is the contract's package, spread.sidecar.v1.
	Contract string
	// ClientProtocol is what SP_version returns: the release of Spread whose protocol the sidecar speaks.
	ClientProtocol VersionTriple
	// Daemon is the default daemon's release; nil while the sidecar has no connection to it.
	Daemon *VersionTriple
	// DaemonAddress is the default daemon, as a spread name; empty while there is no connection to it.
	DaemonAddress string
	// EmbeddedDaemon: that is the embedded daemon, which is meant for development and tests.
	EmbeddedDaemon bool
}

// MailboxState is the life of a mailbox.
type MailboxState string

// States of mailboxes.
const (
	StateOpen         MailboxState = "OPEN"
	StateReconnecting MailboxState = "RECONNECTING"
	StateEnded        MailboxState = "ENDED"
	StateUnknown      MailboxState = "UNKNOWN"
)

// QueueLimits has the bounds of a mailbox's event queue in the sidecar.
type QueueLimits struct {
	// MaxEvents is the most events that may wait.
	MaxEvents uint64
	// MaxBytes is the most bytes that may wait, counted as encoded events.
	MaxBytes uint64
	// ReplayBytes, with AckAuto: bytes of events kept after they were handed out.
	ReplayBytes uint64
	// Overflow is what happens at a bound.
	Overflow OverflowPolicy
	// SoftLimit is a bound that the queue may be above only for a time; nil: there is none.
	SoftLimit *SoftLimit
}

// MailboxLimits has the limits that hold for a mailbox.
type MailboxLimits struct {
	// Lease is how long it lives while nothing uses it.
	Lease time.Duration
	// Queue bounds its event queue.
	Queue QueueLimits
	// MaxGroupsPerMessage is the most groups that a message may be sent to.
	MaxGroupsPerMessage int
	// MaxMessageBytes is the most bytes that payload + 32 x groups may have.
	MaxMessageBytes int
	// MaxGroups is the most groups that it may be in.
	MaxGroups int
	// MaxSendQueueBytes is the most bytes that may wait to be sent to the daemon.
	MaxSendQueueBytes uint64
}

// MailboxInfo has the state and counters of a mailbox.
type MailboxInfo struct {
	// PrivateGroup is its private group.
	PrivateGroup string
	// State is its state.
	State MailboxState
	// Daemon is the daemon, as a spread name.
	Daemon string
	// DaemonVersion is the daemon's release.
	DaemonVersion VersionTriple
	// Membership: it receives membership messages.
	Membership bool
	// Acknowledgement is the acknowledgement mode.
	Acknowledgement AcknowledgementMode
	// Limits is the limits that hold.
	Limits MailboxLimits
	// Groups is the groups that it is in, in the order in which it joined them.
	Groups []string
	// OpenedAt is when it was opened.
	OpenedAt time.Time
	// ReceiverAttached: a Receive stream is attached.
	ReceiverAttached bool
	// LastSequence is the last event received from the daemon; 0 if none.
	LastSequence uint64
	// DeliveredSequence is the last event given to a Receive stream; 0 if none.
	DeliveredSequence uint64
	// AcknowledgedSequence is the last acknowledged event; with AckAuto the last one that is no longer kept. 0 if none.
	AcknowledgedSequence uint64
	// WaitingEvents is the events that were not yet given to a Receive stream.
	WaitingEvents uint64
	// WaitingBytes is their bytes.
	WaitingBytes uint64
	// RetainedBytes is the bytes of all retained events, given or not.
	RetainedBytes uint64
	// MessagesSent is the messages handed to the daemon.
	MessagesSent uint64
	// PayloadBytesSent is the payload bytes handed to the daemon.
	PayloadBytesSent uint64
	// SendQueueBytes is the bytes that wait to be taken by the daemon's connection.
	SendQueueBytes uint64
	// Paused: reading from the daemon is paused because the queue is full.
	Paused bool
	// LeaseEndsAt is when the lease will end if nothing happens; zero while a Receive stream is attached.
	LeaseEndsAt time.Time
	// DisplayID is a short id that is safe to show: the one in logs and metrics. It opens nothing.
	DisplayID string
	// SoftLimitEndsAt is when it will be ended because its queue is above the soft bound; zero while it is not.
	SoftLimitEndsAt time.Time
}

// PollResult is what waits to be received.
type PollResult struct {
	// BufferedEvents is the events that Receive gives without asking the sidecar.
	BufferedEvents int
	// WaitingEvents is the events that wait in the sidecar.
	WaitingEvents uint64
	// WaitingBytes is their bytes.
	WaitingBytes uint64
	// State, unlike SP_poll, tells a mailbox whose daemon is gone from an empty one.
	State MailboxState
}

// CurrentView is a group's current view.
type CurrentView struct {
	View *ViewMessage
	// InTransition: a transitional signal has come after it, and a NETWORK view will follow.
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
