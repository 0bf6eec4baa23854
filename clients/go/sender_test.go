package spreadsidecar

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// startSending starts a fake with a handler of MulticastStream and opens a sender.
func startSending(t *testing.T, options SenderOptions, onStream func(stream multicastStream) error) (*fake, *Sender) {
	t.Helper()
	f := startFake(t, nil)
	f.onStream = onStream
	sender, err := f.connect(t, MailboxOptions{}).Sender(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return f, sender
}

// accepting decides every message, and rejects those with the payload "bad".
func accepting(stream multicastStream) error {
	answer := &pb.MulticastStreamResponse{}
	for {
		frame, err := stream.Recv()
		if err != nil {
			return nil
		}
		answer.Refusals = nil
		for _, message := range frame.GetBatch().GetMessages() {
			answer.Decided++
			if string(message.GetPayload()) != "bad" {
				answer.Accepted++
				continue
			}
			answer.Refusals = append(answer.Refusals, &pb.MulticastRefusal{
				Index:         answer.Decided,
				StatusCode:    int32(codes.InvalidArgument),
				StatusMessage: "it is bad",
				Reason:        "ILLEGAL_GROUP",
				Domain:        SpreadDomain,
			})
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

func sendAll(t *testing.T, sender *Sender, payloads ...string) {
	t.Helper()
	for _, payload := range payloads {
		if err := sender.Send(t.Context(), AgreedMess, "g", []byte(payload), 0); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASenderKeepsOrderAndCounts(t *testing.T) {
	var got []string
	_, sender := startSending(t, SenderOptions{MaxBatchBytes: 100, MaxInFlightMessages: 50}, func(stream multicastStream) error {
		answer := &pb.MulticastStreamResponse{}
		for {
			frame, err := stream.Recv()
			if err != nil {
				return nil
			}
			for _, message := range frame.GetBatch().GetMessages() {
				got = append(got, string(message.GetPayload()))
				answer.Decided++
				answer.Accepted++
			}
			if err := stream.Send(answer); err != nil {
				return err
			}
		}
	})
	payload := make([]byte, 0, 20)
	for i := range 2000 {
		payload = fmt.Appendf(payload[:0], "message %d", i)
		if err := sender.Send(t.Context(), FifoMess, "g", payload, 0); err != nil {
			t.Fatal(err)
		}
	}
	progress, err := sender.Close(t.Context())
	if err != nil || progress != (SenderProgress{2000, 2000, 2000}) {
		t.Error(progress, err)
	}
	for i, text := range got {
		if text != fmt.Sprintf("message %d", i) {
			t.Fatalf("%q is the %d-th", text, i)
		}
	}
	if len(got) != 2000 {
		t.Errorf("%d came", len(got))
	}
	if err := sender.Send(t.Context(), FifoMess, "g", nil, 0); err == nil || err.(*SpreadError).Status != codes.FailedPrecondition {
		t.Error(err)
	}
}

func TestRejectedMessagesAreReportedToTheListener(t *testing.T) {
	var seen []string
	options := SenderOptions{OnRefused: func(refusal Refusal) {
		seen = append(seen, fmt.Sprintf("%d %s %v", refusal.Index, refusal.Err.Outcome, errors.Is(refusal.Err, IllegalGroup)))
	}}
	_, sender := startSending(t, options, accepting)
	sendAll(t, sender, "good", "bad", "good", "bad")
	progress, err := sender.Flush(t.Context())
	if err != nil || progress != (SenderProgress{4, 4, 2}) {
		t.Error(progress, err)
	}
	if got := strings.Join(seen, "; "); got != "2 not-sent true; 4 not-sent true" {
		t.Error(got)
	}
}

func TestRejectedMessagesWithoutAListenerAreCollected(t *testing.T) {
	_, sender := startSending(t, SenderOptions{}, accepting)
	for range 150 {
		sendAll(t, sender, "bad")
	}
	_, err := sender.Flush(t.Context())
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Count != 150 || len(refused.Refusals) != 100 || refused.Refusals[99].Index != 100 {
		t.Fatal(err)
	}
	var first *SpreadError
	if !errors.Is(err, ErrIllegalGroup) || !errors.As(err, &first) || !strings.Contains(err.Error(), "150") {
		t.Error(err)
	}
	if _, err := sender.Close(t.Context()); err != nil {
		t.Error("reported twice:", err)
	}
}

func TestABrokenStreamLeavesUndecidedMessages(t *testing.T) {
	_, sender := startSending(t, SenderOptions{}, func(stream multicastStream) error {
		if _, err := stream.Recv(); err != nil {
			return err
		}
		if _, err := stream.Recv(); err != nil {
			return err
		}
		_ = stream.Send(&pb.MulticastStreamResponse{Decided: 1, Accepted: 1})
		_, _ = stream.Recv()
		return status.Error(codes.Unavailable, "cut")
	})
	sendAll(t, sender, "a")
	until(t, "the first is decided", func() bool { return sender.Progress().Decided == 1 })
	if err := sender.SendMultigroup(t.Context(), SafeMess|SelfDiscard, []string{"g", "h"}, []byte("b"), -7, WithHeaders(map[string]string{"a": "b"})); err != nil {
		t.Fatal(err)
	}
	_, err := sender.Flush(t.Context())
	var failure *SpreadError
	if !errors.As(err, &failure) || failure.Outcome != OutcomeUnknown || failure.Status != codes.Unavailable {
		t.Error(err)
	}
	left := sender.Undecided()
	if got := fmt.Sprintf("%+v", left); got != "[{ServiceType:SAFE|SELF_DISCARD Groups:[g h] Payload:[98] MessageType:-7 Headers:map[a:b]}]" {
		t.Error(got)
	}
	if err := sender.Send(t.Context(), SafeMess, "g", nil, 0); err != failure {
		t.Error("another error:", err)
	}
	if _, err := sender.Close(t.Context()); err != failure {
		t.Error("another error:", err)
	}
}

func TestTheSidecarMayKnowThatNothingWasSent(t *testing.T) {
	_, sender := startSending(t, SenderOptions{}, func(stream multicastStream) error {
		_, _ = stream.Recv()
		_, _ = stream.Recv()
		return because(codes.Unavailable, ErrReconnecting, map[string]string{"outcome": "not-sent"})
	})
	sendAll(t, sender, "a")
	_, err := sender.Flush(t.Context())
	var failure *SpreadError
	if !errors.As(err, &failure) || failure.Outcome != OutcomeNotSent || failure.Reason != ErrReconnecting {
		t.Error(err)
	}
}

func TestAStreamThatEndsTooEarlyIsAFailure(t *testing.T) {
	_, sender := startSending(t, SenderOptions{}, func(stream multicastStream) error {
		_, _ = stream.Recv()
		_, _ = stream.Recv()
		return nil
	})
	sendAll(t, sender, "a")
	_, err := sender.Flush(t.Context())
	var failure *SpreadError
	if !errors.As(err, &failure) || failure.Outcome != OutcomeUnknown {
		t.Error(err)
	}
}

func TestResponsesThatViolateTheContractEndTheSender(t *testing.T) {
	for problem, decided := range map[string][]uint64{
		"decides more messages than the client has written": {1 << 60},
		"decides fewer messages than an earlier response":   {2, 1},
	} {
		t.Run(problem, func(t *testing.T) {
			ended := make(chan error, 1)
			_, sender := startSending(t, SenderOptions{}, func(stream multicastStream) error {
				for messages := 0; messages < 2; {
					frame, err := stream.Recv()
					if err != nil {
						return err
					}
					messages += len(frame.GetBatch().GetMessages())
				}
				for _, count := range decided {
					_ = stream.Send(&pb.MulticastStreamResponse{Decided: count})
				}
				ended <- idleSending(stream)
				return nil
			})
			sendAll(t, sender, "a", "b")
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := sender.Close(ctx)
			var failure *SpreadError
			if !errors.As(err, &failure) || failure.Status != codes.Internal || failure.Outcome != OutcomeUnknown {
				t.Fatal(err)
			}
			if expected := "the response of MulticastStream " + problem; failure.Message != expected {
				t.Errorf("got %q", failure.Message)
			}
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error("the client does not cancel the stream:", err)
			}
		})
	}
}

func TestTheSenderRequestsTheResponsesThatItWaitsFor(t *testing.T) {
	requests := make(chan string, 9)
	_, sender := startSending(t, SenderOptions{MaxInFlightMessages: 8}, func(stream multicastStream) error {
		answer := &pb.MulticastStreamResponse{}
		for {
			frame, err := stream.Recv()
			if err != nil {
				return nil
			}
			if open := frame.GetOpen(); open != nil {
				requests <- fmt.Sprintf("open %v", open.GetRespondsOnRequest())
				continue
			}
			answer.Decided += uint64(len(frame.GetBatch().GetMessages()))
			answer.Accepted = answer.Decided
			if frame.GetBatch().GetRespond() {
				requests <- fmt.Sprintf("after %d", answer.Decided)
				if err := stream.Send(answer); err != nil {
					return err
				}
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, count := range []uint64{1, 3} {
		for sender.Progress().Sent < count {
			sendAll(t, sender, "a")
		}
		if progress, err := sender.Flush(ctx); err != nil || progress.Decided != count {
			t.Fatal(progress, err)
		}
	}
	for _, expected := range []string{"open true", "after 1"} {
		if got := <-requests; got != expected {
			t.Errorf("got %q, expected %q", got, expected)
		}
	}
}

func TestSendWaitsForRoom(t *testing.T) {
	decide := make(chan uint64)
	_, sender := startSending(t, SenderOptions{MaxInFlightMessages: 2}, func(stream multicastStream) error {
		for decided := range decide {
			_ = stream.Send(&pb.MulticastStreamResponse{Decided: decided, Accepted: decided})
		}
		return idleSending(stream)
	})
	sendAll(t, sender, "a", "b")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	err := sender.Send(ctx, FifoMess, "g", nil, 0)
	var failure *SpreadError
	if !errors.As(err, &failure) || !errors.Is(err, context.DeadlineExceeded) || failure.Outcome != OutcomeNotSent {
		t.Error(err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- sender.Send(context.Background(), FifoMess, "g", nil, 0) }()
	decide <- 1
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	close(decide)
	go func() { waiting <- sender.Send(context.Background(), FifoMess, "g", nil, 0) }()
	sender.Abort()
	if err := <-waiting; status.Code(err) != codes.Canceled || errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := len(sender.Undecided()); n != 2 {
		t.Errorf("%d are in doubt", n)
	}
}

func idleSending(stream multicastStream) error {
	<-stream.Context().Done()
	return stream.Context().Err()
}

func TestCloseEndsWithItsContext(t *testing.T) {
	_, sender := startSending(t, SenderOptions{}, idleSending)
	sendAll(t, sender, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := sender.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := sender.Send(t.Context(), FifoMess, "g", nil, 0); err == nil {
		t.Error("it was sent")
	}
}

func TestAMailboxThatIsClosedEndsItsSenders(t *testing.T) {
	f := startFake(t, nil)
	f.onStream = idleSending
	mailbox := f.connect(t, MailboxOptions{})
	sender, err := mailbox.Sender(t.Context(), SenderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sendAll(t, sender, "a")
	mailbox.Detach()
	if _, err := sender.Flush(t.Context()); status.Code(err) != codes.Canceled || err.(*SpreadError).Outcome != OutcomeUnknown {
		t.Error(err)
	}
	if _, err := mailbox.Sender(t.Context(), SenderOptions{}); !errors.Is(err, ErrIllegalSession) {
		t.Error(err)
	}
}

func TestMessagesThatTheContractCannotRepresentAreRejected(t *testing.T) {
	_, sender := startSending(t, SenderOptions{}, accepting)
	for name, err := range map[string]error{
		"no service":     sender.Send(t.Context(), 0, "g", nil, 0),
		"two services":   sender.Send(t.Context(), FifoMess|SafeMess, "g", nil, 0),
		"other bits":     sender.Send(t.Context(), FifoMess|RegMembMess, "g", nil, 0),
		"no text":        sender.Send(t.Context(), FifoMess, "\xff", nil, 0),
		"too far a type": sender.Send(t.Context(), FifoMess, "g", nil, 1<<31),
	} {
		var failure *SpreadError
		if !errors.As(err, &failure) || failure.Outcome != OutcomeNotSent || failure.Status != codes.InvalidArgument {
			t.Error(name, err)
		}
	}
	for field, headers := range map[string]map[string]string{
		"headers":           {"\xff": "value"},
		`headers["name_a"]`: {"name_a": "\xff"},
	} {
		err := sender.Send(t.Context(), FifoMess, "g", nil, 0, WithHeaders(headers))
		var failure *SpreadError
		if !errors.As(err, &failure) || failure.Reason != ErrFieldInvalid || failure.Metadata["field"] != field || failure.Outcome != OutcomeNotSent {
			t.Error(field, err)
		}
	}
	if sent := sender.Progress().Sent; sent != 0 {
		t.Errorf("%d were sent", sent)
	}
}

func TestFramesAreWrittenAsTheGeneratedCodeReadsThem(t *testing.T) {
	messages := []*pb.MulticastMessage{
		{ServiceType: pb.ServiceType_SERVICE_TYPE_SAFE, Groups: []string{"g", "#é#d", ""}, Payload: []byte{0, 1}, MessageType: -1},
		{ServiceType: pb.ServiceType_SERVICE_TYPE_UNRELIABLE, SelfDiscard: true, MessageType: 32767},
		{ServiceType: pb.ServiceType_SERVICE_TYPE_FIFO, Groups: []string{"x"}, Payload: make([]byte, 200_000)},
		{ServiceType: pb.ServiceType_SERVICE_TYPE_FIFO, Headers: map[string]string{"a": "b", "text": "Grüße 🙂", "empty": "", "": "v"}},
		{ServiceType: pb.ServiceType_SERVICE_TYPE_FIFO, SelfDiscard: true, Headers: map[string]string{"n": strings.Repeat("v", 20_000)}},
	}
	frame := newSendFrame(0)
	wanted := &pb.MulticastBatch{}
	for _, message := range messages {
		frame.add(message.ServiceType, message.Groups, message.Payload, message.MessageType, message.SelfDiscard, message.Headers)
		wanted.Messages = append(wanted.Messages, message)
		got := &pb.MulticastStreamRequest{}
		if err := proto.Unmarshal(frame.wire(), got); err != nil || !proto.Equal(got.GetBatch(), wanted) {
			t.Fatal(err)
		}
	}
	frame.decided = 2
	if left := frame.undecided(); len(left) != 3 || len(left[0].Payload) != 200_000 || left[0].ServiceType != FifoMess ||
		left[0].Headers != nil || left[1].Headers["text"] != "Grüße 🙂" {
		t.Errorf("%d are left", len(left))
	}
}
