package rules

import (
	"slices"

	"google.golang.org/grpc/codes"
)

// Reasons that the rules name.
const (
	connectionTooOld    = "CONNECTION_TOO_OLD"
	notASidecar         = "NOT_A_SIDECAR"
	receiverReplaced    = "RECEIVER_REPLACED"
	sequenceNotRetained = "SEQUENCE_NOT_RETAINED"
	sidecarUnreachable  = "SIDECAR_UNREACHABLE"
)

// mailboxEnds has the reasons that mean that the mailbox has ended (F4).
var mailboxEnds = []string{
	"ILLEGAL_SESSION",
	"LEASE_EXPIRED",
	"MAILBOX_DISCONNECTED",
	"CONNECTION_CLOSED",
	"NET_ERROR_ON_SESSION",
	"QUEUE_OVERFLOW",
	"SLOW_CONSUMER",
	"DRAINING",
}

// brokenTransport has the statuses that mean a transport failure if the error has no reason (F1).
var brokenTransport = []codes.Code{codes.Unavailable, codes.Canceled, codes.Internal, codes.Unknown}

// Failure is the part of an error that the rules use.
type Failure struct {
	Message string
	Status  codes.Code
	// Reason is empty if the error has none.
	Reason    string
	Metadata  map[string]string
	Retryable bool
	// Outcome is the outcome of a failed send, or empty.
	Outcome string
	// Err is the error of the client. It is nil if a rule made the failure.
	Err error
}

// IsTransportFailure reports whether the connection broke (F1). The sidecar gives a reason when it ends a stream,
// also when it closes the connection.
func (f *Failure) IsTransportFailure() bool {
	if f.Reason == "" {
		return slices.Contains(brokenTransport, f.Status)
	}
	return f.Reason == connectionTooOld || f.Reason == sidecarUnreachable
}

// MayPass reports whether a later attempt may succeed (F2). tokenMayChange: the client reads the token again for
// each call.
func (f *Failure) MayPass(tokenMayChange bool) bool {
	return f.IsTransportFailure() || (tokenMayChange && f.Status == codes.Unauthenticated)
}

// EndsStreamOnly reports whether the mailbox still exists after this error ended its stream (F3). To attach again
// would replace the new receiver, or fail again.
func (f *Failure) EndsStreamOnly() bool {
	return f.Reason == receiverReplaced || f.Reason == sequenceNotRetained
}

// MailboxEnded reports whether the mailbox has ended (F4).
func (f *Failure) MailboxEnded() bool { return slices.Contains(mailboxEnds, f.Reason) }
