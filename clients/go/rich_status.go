package spreadsidecar

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// unknownOutcome has the statuses that leave open whether the sidecar executed the request.
var unknownOutcome = []codes.Code{codes.Unavailable, codes.Canceled, codes.DeadlineExceeded, codes.Internal, codes.Unknown}

// transport has the statuses that mean a broken stream if they have no reason.
var transport = []codes.Code{codes.Unavailable, codes.Canceled, codes.Internal, codes.Unknown}

// readDetails returns the google.rpc details of a status, or nil. Invalid details must not hide the status
// and its message.
func readDetails(state *status.Status) (info *errdetails.ErrorInfo, retry *errdetails.RetryInfo) {
	for _, detail := range state.Details() {
		switch detail := detail.(type) {
		case error:
			return nil, nil
		case *errdetails.ErrorInfo:
			info = detail
		case *errdetails.RetryInfo:
			retry = detail
		}
	}
	return info, retry
}

func outcomeOf(code codes.Code, info *errdetails.ErrorInfo) Outcome {
	switch said := Outcome(info.GetMetadata()["outcome"]); said {
	case OutcomeUnknown, OutcomeNotSent:
		return said
	}
	// With an ErrorInfo, the sidecar itself responded: unless it says otherwise, it rejected the message.
	if info != nil {
		if code == codes.Internal {
			return OutcomeUnknown
		}
		return OutcomeNotSent
	}
	if slices.Contains(unknownOutcome, code) {
		return OutcomeUnknown
	}
	return OutcomeNotSent
}

// optionNames has the fields whose name in this package is not just the PascalCase form of the name in the
// contract: some options, and the parameters of methods.
var optionNames = map[string]string{
	"daemon":         "SpreadName",
	"group":          "group",
	"groups":         "groups",
	"headers":        "headers",
	"mailbox_id":     "MailboxID",
	"message_type":   "messageType",
	"most":           "most",
	"payload":        "payload",
	"service_type":   "service",
	"up_to_sequence": "upTo",
}

// nameInMessages returns the option for the name of a field in metadata, which is the same in all clients. Names of
// environment variables do not change.
func nameInMessages(field string) string {
	if field == strings.ToUpper(field) {
		return field
	}
	return optionOf(field)
}

// optionOf returns the option for a field of the contract: PrivateName for private_name.
func optionOf(field string) string {
	list, _, _ := strings.Cut(field, "[")
	if name, ok := optionNames[list]; ok {
		return name + field[len(list):]
	}
	var name strings.Builder
	upper := true
	for _, letter := range field {
		switch {
		case letter == '_':
			upper = true
		case upper:
			name.WriteRune(unicode.ToUpper(letter))
			upper = letter == '.'
		default:
			name.WriteRune(letter)
			upper = letter == '.'
		}
	}
	return name.String()
}

// withOptionName replaces the name of the field in a message of the sidecar with the name of the option.
func withOptionName(sentence, field string) string {
	rest, found := strings.CutPrefix(sentence, field+" ")
	if field == "" || !found {
		return sentence
	}
	return optionOf(field) + " " + rest
}

// toSpreadError converts an error of gRPC.
func toSpreadError(err error) *SpreadError {
	if known, ok := err.(*SpreadError); ok {
		return known
	}
	state := status.Convert(err)
	info, retry := readDetails(state)
	return &SpreadError{
		Message:    withOptionName(state.Message(), info.GetMetadata()["field"]),
		Status:     state.Code(),
		Reason:     Reason(info.GetReason()),
		Domain:     info.GetDomain(),
		Metadata:   info.GetMetadata(),
		Retryable:  retry != nil || (state.Code() == codes.Unavailable && info == nil),
		RetryDelay: retry.GetRetryDelay().AsDuration(),
		Cause:      err,
	}
}

// forSend returns the same error with the outcome of a send.
func (e *SpreadError) forSend(err error) *SpreadError {
	if e.Outcome == "" {
		info, _ := readDetails(status.Convert(err))
		e.Outcome = outcomeOf(e.Status, info)
	}
	return e
}

// withContext sets the context's error as the cause if it ended the call.
func withContext(ctx context.Context, err *SpreadError) *SpreadError {
	if cause := context.Cause(ctx); cause != nil && (err.Status == codes.Canceled || err.Status == codes.DeadlineExceeded) {
		err.Cause = cause
		err.isCancelled = err.Status == codes.Canceled
	}
	return err
}

// isGone reports whether a mailbox that could not be disconnected has ended, or its sidecar is shutting down
// or unreachable.
func isGone(err error) bool {
	var failure *SpreadError
	return errors.As(err, &failure) && (isTransportFailure(failure) ||
		slices.Contains([]Reason{ErrDraining, ErrIllegalSession, ErrLeaseExpired}, failure.Reason))
}

// isTransportFailure reports whether the connection broke. The sidecar gives a reason when it ends a stream,
// also when it closes the connection.
func isTransportFailure(err *SpreadError) bool {
	if err.Reason == ErrConnectionTooOld || err.Reason == ErrSidecarUnreachable {
		return true
	}
	return err.Reason == "" && slices.Contains(transport, err.Status)
}
