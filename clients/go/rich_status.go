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

// inDoubt has the failures that leave it open whether the request was carried out.
var inDoubt = []codes.Code{codes.Unavailable, codes.Canceled, codes.DeadlineExceeded, codes.Internal, codes.Unknown}

// transport has the failures of a stream that was cut on the way, when they come without a reason.
var transport = []codes.Code{codes.Unavailable, codes.Canceled, codes.Internal, codes.Unknown}

// readDetails gives the google.rpc details of a status; nil for what is not there. Details that can't be read are no
// reason to hide the status and its sentence.
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
	// With an ErrorInfo the sidecar itself answered: unless it says otherwise, it refused.
	if info != nil {
		if code == codes.Internal {
			return OutcomeUnknown
		}
		return OutcomeNotSent
	}
	if slices.Contains(inDoubt, code) {
		return OutcomeUnknown
	}
	return OutcomeNotSent
}

// optionNames has the fields that this package does not name by the PascalCase form of the contract's name: some options,
// and the parameters of methods.
var optionNames = map[string]string{
	"daemon":         "SpreadName",
	"group":          "group",
	"groups":         "groups",
	"mailbox_id":     "MailboxID",
	"message_type":   "messageType",
	"payload":        "payload",
	"service_type":   "service",
	"up_to_sequence": "upTo",
}

// optionOf gives the option of this package for a field of the contract: PrivateName for private_name.
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

// inCallersTerms gives a sentence of the sidecar about a field with the name that the caller's option has.
func inCallersTerms(sentence, field string) string {
	rest, found := strings.CutPrefix(sentence, field+" ")
	if field == "" || !found {
		return sentence
	}
	return optionOf(field) + " " + rest
}

// toSpreadError turns what gRPC gives into a SpreadError.
func toSpreadError(err error) *SpreadError {
	if known, ok := err.(*SpreadError); ok {
		return known
	}
	state := status.Convert(err)
	info, retry := readDetails(state)
	return &SpreadError{
		Message:    inCallersTerms(state.Message(), info.GetMetadata()["field"]),
		Status:     state.Code(),
		Reason:     Reason(info.GetReason()),
		Domain:     info.GetDomain(),
		Metadata:   info.GetMetadata(),
		Retryable:  retry != nil || (state.Code() == codes.Unavailable && info == nil),
		RetryDelay: retry.GetRetryDelay().AsDuration(),
		Cause:      err,
	}
}

// forSend is the same failure of a call that was to send: it tells what became of the message.
func (e *SpreadError) forSend(err error) *SpreadError {
	if e.Outcome == "" {
		info, _ := readDetails(status.Convert(err))
		e.Outcome = outcomeOf(e.Status, info)
	}
	return e
}

// withContext shows the context's own error as the cause, when it is what ended the call.
func withContext(ctx context.Context, err *SpreadError) *SpreadError {
	if cause := context.Cause(ctx); cause != nil && (err.Status == codes.Canceled || err.Status == codes.DeadlineExceeded) {
		err.Cause = cause
		err.isCancelled = err.Status == codes.Canceled
	}
	return err
}

// isGone tells whether a mailbox that could not be disconnected has ended, or the sidecar is shutting down or cannot be
// reached.
func isGone(err error) bool {
	var failure *SpreadError
	return errors.As(err, &failure) && (isTransportFailure(failure) ||
		slices.Contains([]Reason{ErrDraining, ErrIllegalSession, ErrLeaseExpired}, failure.Reason))
}

// isTransportFailure tells a stream that was cut on the way from one that the sidecar ended: the sidecar gives a
// reason with every end of its own. One of them is that it cuts the connection.
func isTransportFailure(err *SpreadError) bool {
	if err.Reason == ErrConnectionTooOld || err.Reason == ErrSidecarUnreachable {
		return true
	}
	return err.Reason == "" && slices.Contains(transport, err.Status)
}
