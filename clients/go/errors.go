package spreadsidecar

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/rules"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Outcome is the outcome of a failed send. This package and the sidecar never send a message twice. The
// application decides whether to send it again.
type Outcome string

const (
	// OutcomeNotSent means that no byte of the message reached the daemon.
	OutcomeNotSent Outcome = rules.NotSent
	// OutcomeUnknown means that the message may have been sent, for example because a deadline passed or a
	// connection broke.
	OutcomeUnknown Outcome = rules.Unknown
)

// Domains of errors.
const (
	// SpreadDomain is the domain of Spread's own errors.
	SpreadDomain = "spread.org"
	// SidecarDomain is the domain of the sidecar's own errors.
	SidecarDomain = "spread-sidecar"
)

// SpreadError is the error of all failures of this package. [errors.Is] compares it with a [Reason], with a
// [Code], with [context.DeadlineExceeded] by its status, and with [context.Canceled] if the caller's context
// was cancelled.
type SpreadError struct {
	// Message is a description for people.
	Message string
	// Status is the gRPC status.
	Status codes.Code
	// Reason is Spread's name of the error, or a reason of the sidecar. Empty for failures of the transport.
	Reason Reason
	// Domain is [SpreadDomain], [SidecarDomain] or empty.
	Domain string
	// Metadata has further details, such as field and bound. Read only.
	Metadata map[string]string
	// Retryable means that the same call may succeed later. For a send, check Outcome first.
	Retryable bool
	// RetryDelay is the time to wait before a retry. 0 if the sidecar gave no delay.
	RetryDelay time.Duration
	// Outcome states whether the message of a failed send may have been sent. Empty for other calls.
	Outcome Outcome
	// Cause is the underlying error, or nil.
	Cause error
	// isCancelled: the caller's context was cancelled.
	isCancelled bool
}

// Error returns the code and the message.
func (e *SpreadError) Error() string {
	if code, ok := e.Code(); ok {
		return fmt.Sprintf("%s (%d): %s", code, int(code), e.Message)
	}
	if e.Reason != "" {
		return string(e.Reason) + ": " + e.Message
	}
	return statusName(e.Status) + ": " + e.Message
}

// Code returns Spread's code of the error. The second result is false for failures that Spread does not
// define, such as an expired lease.
func (e *SpreadError) Code() (Code, bool) {
	if e.Domain != SpreadDomain {
		return 0, false
	}
	return CodeByName(string(e.Reason))
}

// StatusName returns the gRPC status in the spelling of the other clients, such as INVALID_ARGUMENT.
func (e *SpreadError) StatusName() string { return statusName(e.Status) }

// GRPCStatus implements the interface of google.golang.org/grpc/status. status.Code(err) therefore returns
// Status.
func (e *SpreadError) GRPCStatus() *status.Status { return status.New(e.Status, e.Message) }

// Unwrap returns the cause.
func (e *SpreadError) Unwrap() error { return e.Cause }

// Is makes [errors.Is] compare by reason, by code and with the errors of contexts.
func (e *SpreadError) Is(target error) bool {
	switch wanted := target.(type) {
	case Reason:
		return wanted == e.Reason
	case Code:
		code, ok := e.Code()
		return ok && code == wanted
	}
	switch target {
	case context.Canceled:
		return e.isCancelled
	case context.DeadlineExceeded:
		return e.Status == codes.DeadlineExceeded
	}
	return false
}

var statusNames = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

func statusName(code codes.Code) string {
	if int(code) < len(statusNames) {
		return statusNames[code]
	}
	return "UNKNOWN"
}

// localSpreadError is an error of Spread that the client finds before it sends anything.
func localSpreadError(code Code, message string, metadata map[string]string) *SpreadError {
	all := map[string]string{"spread_code": strconv.Itoa(int(code))}
	for key, value := range metadata {
		all[key] = value
	}
	grpcStatus := codes.InvalidArgument
	if code == IllegalSession {
		grpcStatus = codes.NotFound
	}
	return &SpreadError{
		Message:  message,
		Status:   grpcStatus,
		Reason:   Reason(code.String()),
		Domain:   SpreadDomain,
		Metadata: all,
		Outcome:  OutcomeNotSent,
	}
}

// fieldError rejects a field that the contract cannot represent.
func fieldError(field, bound string, value any) *SpreadError {
	return optionError(field, bound, fmt.Sprintf("%s must be %s; got %v", nameInMessages(field), bound, value))
}

// optionError rejects an option, or options that exclude each other.
func optionError(field, bound, message string) *SpreadError {
	return &SpreadError{
		Message:  message,
		Status:   codes.InvalidArgument,
		Reason:   ErrFieldInvalid,
		Domain:   SidecarDomain,
		Metadata: map[string]string{"field": field, "bound": bound},
		Outcome:  OutcomeNotSent,
	}
}

// invalidResponse is the error of a response that violates the contract (C6). problem continues "the response of
// GetView".
func invalidResponse(call, problem string) *SpreadError {
	return &SpreadError{Message: "the response of " + call + " " + problem, Status: codes.Internal}
}

// contextError is the error of a wait in this client that its context ended.
func contextError(ctx context.Context, what string) *SpreadError {
	return contextErrorWhen(ctx, "while "+what)
}

// contextErrorWhen is contextError with a text that continues "the deadline passed" or "cancelled".
func contextErrorWhen(ctx context.Context, when string) *SpreadError {
	err := ctx.Err()
	if err == context.DeadlineExceeded {
		return &SpreadError{
			Message:   "the deadline passed " + when,
			Status:    codes.DeadlineExceeded,
			Reason:    ErrDeadlineExceeded,
			Domain:    SidecarDomain,
			Retryable: true,
			Cause:     err,
		}
	}
	return &SpreadError{
		Message:     "cancelled " + when,
		Status:      codes.Canceled,
		Cause:       context.Cause(ctx),
		isCancelled: true,
	}
}
