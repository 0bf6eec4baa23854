package rules

import (
	"slices"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// CallTimeout is the default timeout of a unary call (C2).
	CallTimeout = 30 * time.Second
	// FinishTime is the maximum time to wait for the last events after a disconnect (C5).
	FinishTime = time.Second
)

// Outcomes of a failed send.
const (
	NotSent = "not-sent"
	Unknown = "unknown"
)

// unknownOutcome has the statuses that leave open whether the sidecar executed the call, if the error has no
// ErrorInfo (F6).
var unknownOutcome = []codes.Code{codes.Unavailable, codes.Canceled, codes.DeadlineExceeded, codes.Internal, codes.Unknown}

// Details are the google.rpc details of a failed call. Info and Retry are nil if the status does not have them.
type Details struct {
	Status codes.Code
	Info   *errdetails.ErrorInfo
	Retry  *errdetails.RetryInfo
}

// ReadDetails reads the details of a status. Malformed details count as missing, so that they do not hide the
// status and its message (F7).
func ReadDetails(state *status.Status) Details {
	details := Details{Status: state.Code()}
	for _, detail := range state.Details() {
		switch detail := detail.(type) {
		case error:
			return Details{Status: state.Code()}
		case *errdetails.ErrorInfo:
			details.Info = detail
		case *errdetails.RetryInfo:
			details.Retry = detail
		}
	}
	return details
}

// Retryable reports whether the same call may succeed later (F5).
func (d Details) Retryable() bool {
	return d.Retry != nil || (d.Info == nil && d.Status == codes.Unavailable)
}

// Outcome says whether the message of a failed send may have been sent (F6).
func (d Details) Outcome() string {
	switch said := d.Info.GetMetadata()["outcome"]; said {
	case Unknown, NotSent:
		return said
	}
	// With an ErrorInfo, the sidecar itself responded: unless it says otherwise, it rejected the message.
	if d.Info != nil {
		if d.Status == codes.Internal {
			return Unknown
		}
		return NotSent
	}
	if slices.Contains(unknownOutcome, d.Status) {
		return Unknown
	}
	return NotSent
}

// DisconnectReturnsFalse reports whether a disconnect that failed with this error returns false instead of the
// error (C3).
func (f *Failure) DisconnectReturnsFalse() bool { return f.IsTransportFailure() || f.MailboxEnded() }

// RepeatsReady reports whether WaitForReady repeats its call after this status (C7).
func RepeatsReady(status codes.Code) bool {
	return status == codes.Unavailable || status == codes.DeadlineExceeded
}
