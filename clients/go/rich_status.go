package spreadsidecar

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/rules"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

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
	details := rules.ReadDetails(state)
	info := details.Info
	return &SpreadError{
		Message:    withOptionName(state.Message(), info.GetMetadata()["field"]),
		Status:     state.Code(),
		Reason:     Reason(info.GetReason()),
		Domain:     info.GetDomain(),
		Metadata:   info.GetMetadata(),
		Retryable:  details.Retryable(),
		RetryDelay: details.Retry.GetRetryDelay().AsDuration(),
		Cause:      err,
	}
}

// forSend returns the same error with the outcome of a send.
func (e *SpreadError) forSend(err error) *SpreadError {
	if e.Outcome == "" {
		e.Outcome = Outcome(rules.ReadDetails(status.Convert(err)).Outcome())
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

// isGone reports whether a disconnect that failed with this error returns false.
func isGone(err error) bool {
	var failure *SpreadError
	return errors.As(err, &failure) && toFailure(failure).DisconnectReturnsFalse()
}

// isMailboxAlive reports whether the mailbox still exists after this error ended its stream.
func isMailboxAlive(err *SpreadError) bool { return toFailure(err).EndsStreamOnly() }

// toFailure returns an error for the rules.
func toFailure(err *SpreadError) *rules.Failure {
	return &rules.Failure{
		Message:   err.Message,
		Status:    err.Status,
		Reason:    string(err.Reason),
		Metadata:  err.Metadata,
		Retryable: err.Retryable,
		Outcome:   string(err.Outcome),
		Err:       err,
	}
}

// fromFailure returns the error for a failure of the rules. Nil for nil.
func fromFailure(failure *rules.Failure) *SpreadError {
	if failure == nil {
		return nil
	}
	var result SpreadError
	if source, ok := failure.Err.(*SpreadError); ok {
		result = *source
	}
	result.Message = failure.Message
	result.Status = failure.Status
	result.Reason = Reason(failure.Reason)
	result.Metadata = failure.Metadata
	result.Outcome = Outcome(failure.Outcome)
	return &result
}
