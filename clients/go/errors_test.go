package spreadsidecar

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestErrorsAreComparedByReasonCodeAndContext(t *testing.T) {
	info := &errdetails.ErrorInfo{Reason: "REJECT_NOT_UNIQUE", Domain: SpreadDomain}
	retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)}
	state, err := status.New(codes.AlreadyExists, "taken").WithDetails(info, retry)
	if err != nil {
		t.Fatal(err)
	}
	wrapped := fmt.Errorf("connecting: %w", toSpreadError(state.Err()))
	var failure *SpreadError
	if !errors.As(wrapped, &failure) {
		t.Fatal(wrapped)
	}
	if !errors.Is(wrapped, ErrRejectNotUnique) || !errors.Is(wrapped, RejectNotUnique) || errors.Is(wrapped, ErrIllegalGroup) ||
		errors.Is(wrapped, IllegalGroup) || errors.Is(wrapped, context.Canceled) {
		t.Error(wrapped)
	}
	if failure.Error() != "REJECT_NOT_UNIQUE (-6): taken" || failure.RetryDelay != time.Second || !failure.Retryable {
		t.Errorf("%+v", failure)
	}
	if status.Code(wrapped) != codes.AlreadyExists || failure.StatusName() != "ALREADY_EXISTS" {
		t.Error(status.Code(wrapped))
	}
}

func TestOnlyTheCallersContextMakesAnErrorCanceled(t *testing.T) {
	fromPeer := toSpreadError(status.FromContextError(context.Canceled).Err())
	if errors.Is(withContext(t.Context(), fromPeer), context.Canceled) {
		t.Error("the caller has cancelled nothing")
	}
	cause := errors.New("no longer needed")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	ended := withContext(ctx, toSpreadError(status.FromContextError(context.Canceled).Err()))
	if !errors.Is(ended, context.Canceled) || !errors.Is(ended, cause) || errors.Is(ended, context.DeadlineExceeded) {
		t.Error(ended)
	}
}

func TestACodeNeedsSpreadsDomain(t *testing.T) {
	err := &SpreadError{Reason: "ILLEGAL_GROUP", Domain: SidecarDomain}
	if _, ok := err.Code(); ok || errors.Is(err, IllegalGroup) {
		t.Error("the sidecar's own reason has a number of Spread")
	}
}

func TestFailedSendsHaveAnOutcome(t *testing.T) {
	for _, one := range []struct {
		err     error
		outcome Outcome
	}{
		{status.Error(codes.Unavailable, ""), OutcomeUnknown},
		{status.Error(codes.DeadlineExceeded, ""), OutcomeUnknown},
		{status.Error(codes.InvalidArgument, ""), OutcomeNotSent},
		{because(codes.Unavailable, ErrDraining, nil), OutcomeNotSent},
		{because(codes.Internal, ErrInternal, nil), OutcomeUnknown},
		{because(codes.Unavailable, ErrConnectionClosed, map[string]string{"outcome": "unknown"}), OutcomeUnknown},
		{because(codes.Internal, ErrInternal, map[string]string{"outcome": "not-sent"}), OutcomeNotSent},
	} {
		if got := toSpreadError(one.err).forSend(one.err).Outcome; got != one.outcome {
			t.Errorf("%v: %s", one.err, got)
		}
	}
}

func TestDetailsThatCanNotBeReadHideNothing(t *testing.T) {
	proto := status.New(codes.Aborted, "the sentence").Proto()
	proto.Details = []*anypb.Any{{TypeUrl: "type.googleapis.com/google.rpc.ErrorInfo", Value: []byte{0xff}}}
	err := toSpreadError(status.FromProto(proto).Err())
	if err.Status != codes.Aborted || err.Message != "the sentence" || err.Reason != "" {
		t.Errorf("%+v", err)
	}
}

func TestNumbersOfSpread(t *testing.T) {
	for name, code := range map[string]Code{"ILLEGAL_SPREAD": -1, "ILLEGAL_SESSION": -11, "ILLEGAL_RECEIVERS": -28} {
		if got, ok := CodeByName(name); !ok || got != code || code.String() != name {
			t.Error(name, got)
		}
	}
	if Code(-99).String() != "Code(-99)" {
		t.Error(Code(-99))
	}
}

func TestPredicatesAgreeWithSpreadsMacros(t *testing.T) {
	if word := SafeMess | SelfDiscard; !word.IsRegularMess() || !word.IsSafeMess() || !word.IsSelfDiscard() || word.IsMembershipMess() {
		t.Error(word)
	}
	if word := SafeMess | RejectMess; word.IsRegularMess() || !word.IsRejectMess() {
		t.Error(word)
	}
	if word := RegMembMess | CausedByLeave; !word.IsRegMembMess() || !word.IsCausedLeaveMess() || word.IsSelfLeave() || !word.IsMembershipMess() {
		t.Error(word)
	}
	if !CausedByLeave.IsSelfLeave() || !TransitionMess.IsTransitionMess() || TransitionMess.IsCausedNetworkMess() {
		t.Error("self-leave or transition")
	}
	if (AgreedMess|SelfDiscard).String() != "AGREED|SELF_DISCARD" || Service(0x3000).String() != "0x3000" {
		t.Error(AgreedMess|SelfDiscard, Service(0x3000))
	}
}

func TestASentenceNamesTheFieldAsTheOptionDoes(t *testing.T) {
	for _, row := range []struct{ sentence, field, expected string }{
		{"private_name has 11 bytes", "private_name", "PrivateName has 11 bytes"},
		{"queue.soft_limit.time is 0", "queue.soft_limit.time", "Queue.SoftLimit.Time is 0"},
		{"daemon has 300 bytes", "daemon", "SpreadName has 300 bytes"},
		{"group has 0 bytes", "group", "group has 0 bytes"},
		{"groups[0] has 0 bytes", "groups[0]", "groups[0] has 0 bytes"},
		{"payload has 200000 bytes", "payload", "payload has 200000 bytes"},
		{"message_type is 40000", "message_type", "messageType is 40000"},
		{"daemons differ", "daemon", "daemons differ"},
		{"no field", "", "no field"},
	} {
		if got := withOptionName(row.sentence, row.field); got != row.expected {
			t.Errorf("%q about %q: got %q, expected %q", row.sentence, row.field, got, row.expected)
		}
	}
}
