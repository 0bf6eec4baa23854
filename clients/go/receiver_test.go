package spreadsidecar

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// noticed collects notices.
type noticed struct {
	mu      sync.Mutex
	notices []Notice
}

func (n *noticed) notice(notice Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notices = append(n.notices, notice)
}

func (n *noticed) kinds() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var kinds []string
	for _, notice := range n.notices {
		kinds = append(kinds, strings.TrimPrefix(fmt.Sprintf("%T", notice), "spreadsidecar."))
	}
	return strings.Join(kinds, " ")
}

func TestReceiveResumesAfterTheLastEventOfABrokenStream(t *testing.T) {
	f := startFake(t, func(n int, request *pb.ReceiveRequest, stream receiveStream) error {
		after := request.GetAfterSequence()
		if n == 2 {
			// Events that were delivered before are ignored.
			_ = send(stream, attachedFrame(after+1), batchFrame(after-1, 9))
			return idle(stream)
		}
		_ = send(stream, attachedFrame(after+1), batchFrame(after+1, after+3))
		return status.Error(codes.Unavailable, "cut")
	})
	var seen noticed
	mailbox := f.connect(t, MailboxOptions{ReceiveOptions: ReceiveOptions{OnNotice: seen.notice}})
	expectSequences(t, mailbox, 1, 9)
	if mailbox.LastSequence() != 9 {
		t.Errorf("the last sequence is %d", mailbox.LastSequence())
	}
	mailbox.Detach()
	if got := seen.kinds(); got != "Attached Detached Attached Detached Attached Ended" {
		t.Error(got)
	}
}

func TestReceiveResumesAfterTheSidecarWasUnreachable(t *testing.T) {
	f := startFake(t, func(_ int, request *pb.ReceiveRequest, stream receiveStream) error {
		next := request.GetAfterSequence() + 1
		_ = send(stream, attachedFrame(next), batchFrame(next, next))
		return idle(stream)
	})
	mailbox := f.connect(t, MailboxOptions{})
	expectSequences(t, mailbox, 1, 1)
	f.restart(t)
	expectSequences(t, mailbox, 2, 2)
}

func TestAGapEndsReceiving(t *testing.T) {
	frames := map[string][]*pb.ReceiveResponse{
		"in a batch":   {attachedFrame(1), batchFrame(1, 1), batchFrame(3, 3)},
		"at the start": {attachedFrame(5)},
		"in a heartbeat": {attachedFrame(1), {
			Frame: &pb.ReceiveResponse_Heartbeat{Heartbeat: &pb.Heartbeat{LastSequence: 4}},
		}},
	}
	for name, frames := range frames {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
				_ = send(stream, frames...)
				return idle(stream)
			})
			if end := expectEnd(t, f.connect(t, MailboxOptions{})); end.Status != codes.DataLoss {
				t.Error(end)
			}
		})
	}
}

func TestTheEndFollowsAllEvents(t *testing.T) {
	end := because(codes.Unavailable, ErrConnectionClosed, map[string]string{"last_sequence": "4"})
	f := startFake(t, func(n int, request *pb.ReceiveRequest, stream receiveStream) error {
		next := request.GetAfterSequence() + 1
		_ = send(stream, attachedFrame(next))
		if n > 0 {
			_ = send(stream, batchFrame(next, next+1))
		}
		return end
	})
	mailbox := f.connect(t, MailboxOptions{})
	expectSequences(t, mailbox, 1, 4)
	if err := expectEnd(t, mailbox); !errors.Is(err, ErrConnectionClosed) || err.Metadata["received_sequence"] != "" {
		t.Error(err)
	}
}

func TestTheEndReportsMissingEvents(t *testing.T) {
	f := startFake(t, func(_ int, request *pb.ReceiveRequest, stream receiveStream) error {
		_ = send(stream, attachedFrame(request.GetAfterSequence()+1))
		return because(codes.ResourceExhausted, ErrQueueOverflow, map[string]string{"last_sequence": "4"})
	})
	err := expectEnd(t, f.connect(t, MailboxOptions{}))
	if !errors.Is(err, ErrQueueOverflow) || err.Metadata["received_sequence"] != "0" || !strings.Contains(err.Message, "1 to 4") {
		t.Error(err)
	}
	if n := f.count(&f.receives); n != 4 {
		t.Errorf("asked %d times", n)
	}
}

func TestAReplacedReceiverDoesNotAttachAgain(t *testing.T) {
	f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
		_ = send(stream, attachedFrame(1))
		return because(codes.Aborted, ErrReceiverReplaced, nil)
	})
	mailbox := f.connect(t, MailboxOptions{})
	if err := expectEnd(t, mailbox); !errors.Is(err, ErrReceiverReplaced) {
		t.Error(err)
	}
	if _, err := mailbox.Poll(t.Context()); err != nil {
		t.Error("the mailbox does not live on:", err)
	}
	if n := f.count(&f.receives); n != 1 {
		t.Errorf("attached %d times", n)
	}
}

func TestASilentStreamCountsAsBroken(t *testing.T) {
	f := startFake(t, func(n int, request *pb.ReceiveRequest, stream receiveStream) error {
		if request.GetHeartbeatInterval().AsDuration() != 20*time.Millisecond {
			return because(codes.InvalidArgument, ErrLimitOutOfRange, nil)
		}
		_ = send(stream, attachedFrame(request.GetAfterSequence()+1))
		if n == 1 {
			_ = send(stream, batchFrame(1, 1))
		}
		return idle(stream)
	})
	var seen noticed
	options := ReceiveOptions{HeartbeatInterval: 20 * time.Millisecond, OnNotice: seen.notice}
	expectSequences(t, f.connect(t, MailboxOptions{ReceiveOptions: options}), 1, 1)
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if detached := seen.notices[1].(Detached); detached.Err.Status != codes.Unavailable || !strings.Contains(detached.Err.Message, "sent no frame for") {
		t.Error(detached.Err)
	}
}

func TestReceivingIsGivenUpAfterTheLease(t *testing.T) {
	f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
		_ = send(stream, attachedFrame(1))
		return idle(stream)
	})
	f.lease = 300 * time.Millisecond
	var seen noticed
	mailbox := f.connect(t, MailboxOptions{ReceiveOptions: ReceiveOptions{AutoReceive: true, OnNotice: seen.notice}})
	until(t, "the stream stands", func() bool { return seen.kinds() == "Attached" })
	f.server.Stop()
	begun := time.Now()
	err := expectEnd(t, mailbox)
	if err.Status != codes.Unavailable || err.Reason != ErrSidecarUnreachable || errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if took := time.Since(begun); took < 200*time.Millisecond || took > 3*time.Second {
		t.Errorf("after %v", took)
	}
	if got := seen.kinds(); got != "Attached Detached Ended" {
		t.Error(got)
	}
}

func TestASlowApplicationHoldsTheStream(t *testing.T) {
	const events, each = 400, 64 << 10
	sent := make(chan int, events)
	f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
		_ = send(stream, attachedFrame(1))
		for sequence := uint64(1); sequence <= events; sequence++ {
			frame := batchFrame(sequence, sequence)
			frame.GetBatch().GetEvents()[0].GetRegularMessage().Payload = make([]byte, each)
			if err := stream.Send(frame); err != nil {
				return err
			}
			sent <- 1
		}
		return idle(stream)
	})
	mailbox := f.connect(t, MailboxOptions{ReceiveOptions: ReceiveOptions{MaxBufferedEvents: 10}})
	expectSequences(t, mailbox, 1, 1)
	before := -1
	until(t, "the stream stands still", func() bool {
		now := len(sent)
		defer func() { before = now }()
		time.Sleep(50 * time.Millisecond)
		return now == before
	})
	if n := len(sent); n > events/2 {
		t.Errorf("%d of %d events were taken from the sidecar", n, events)
	}
	expectSequences(t, mailbox, 2, events)
}

func TestATokenThatIsWithdrawnIsAskedForAgain(t *testing.T) {
	f := startFake(t, func(n int, request *pb.ReceiveRequest, stream receiveStream) error {
		if n == 1 {
			return because(codes.Unauthenticated, ErrCredentialInvalid, nil)
		}
		next := request.GetAfterSequence() + 1
		_ = send(stream, attachedFrame(next), batchFrame(next, next))
		if n == 0 {
			return because(codes.Unauthenticated, ErrCredentialInvalid, nil)
		}
		return idle(stream)
	})
	asked := 0
	source := func(context.Context) (string, error) {
		asked++
		return fmt.Sprintf(" token%d\n", asked), nil
	}
	mailbox := f.connectWith(t, Options{TokenSource: source}, MailboxOptions{})
	expectSequences(t, mailbox, 1, 2)
	f.mu.Lock()
	defer f.mu.Unlock()
	if got := strings.Join(f.tokens, ", "); got != "Bearer token1, Bearer token2, Bearer token3, Bearer token4" {
		t.Error(got)
	}
}

func TestAConstantTokenThatIsWithdrawnEndsReceiving(t *testing.T) {
	f := startFake(t, func(int, *pb.ReceiveRequest, receiveStream) error {
		return because(codes.Unauthenticated, ErrCredentialInvalid, nil)
	})
	if err := expectEnd(t, f.connectWith(t, Options{Token: "x"}, MailboxOptions{})); !errors.Is(err, ErrCredentialInvalid) {
		t.Error(err)
	}
}

func TestKindsThatThisReleaseDoesNotKnowArePassedOver(t *testing.T) {
	f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
		unknown := &pb.Event{Sequence: 1}
		unknown.ProtoReflect().SetUnknown([]byte{0xfa, 0x3f, 1, 0})
		frame := batchFrame(2, 2)
		frame.GetBatch().Events = append([]*pb.Event{unknown}, frame.GetBatch().GetEvents()...)
		strange := &pb.ReceiveResponse{}
		strange.ProtoReflect().SetUnknown([]byte{0xfa, 0x3f, 1, 0})
		_ = send(stream, attachedFrame(1), strange, frame)
		return idle(stream)
	})
	expectSequences(t, f.connect(t, MailboxOptions{}), 2, 2)
}

func TestASlowConsumerIsWarned(t *testing.T) {
	f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
		warning := &pb.SlowConsumerNotice{QueuedEvents: 8, QueuedBytes: 9}
		_ = send(stream, attachedFrame(1), &pb.ReceiveResponse{Frame: &pb.ReceiveResponse_SlowConsumer{SlowConsumer: warning}})
		return idle(stream)
	})
	seen := make(chan SlowConsumer, 1)
	onNotice := func(notice Notice) {
		if slow, ok := notice.(SlowConsumer); ok {
			seen <- slow
		}
	}
	f.connect(t, MailboxOptions{ReceiveOptions: ReceiveOptions{AutoReceive: true, OnNotice: onNotice}})
	select {
	case slow := <-seen:
		if slow.QueuedEvents != 8 || slow.QueuedBytes != 9 || slow.TimeLeft != nil {
			t.Errorf("%+v", slow)
		}
	case <-time.After(10 * time.Second):
		t.Error("no notice")
	}
}

func TestANoticeMayCloseItsMailbox(t *testing.T) {
	for name, end := range map[string]func(*Mailbox){
		"close":  func(m *Mailbox) { _ = m.Close() },
		"detach": func(m *Mailbox) { m.Detach() },
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
				_ = send(stream, attachedFrame(1))
				return idle(stream)
			})
			opened := make(chan *Mailbox, 1)
			var once sync.Once
			onNotice := func(Notice) {
				once.Do(func() { opened <- <-opened })
				mailbox := <-opened
				opened <- mailbox
				end(mailbox)
			}
			mailbox := f.connect(t, MailboxOptions{ReceiveOptions: ReceiveOptions{OnNotice: onNotice}})
			opened <- mailbox
			if err := expectEnd(t, mailbox); !errors.Is(err, ErrIllegalSession) {
				t.Error(err)
			}
		})
	}
}

func TestFramesAreReadAsTheGeneratedCodeReadsThem(t *testing.T) {
	frame := batchFrame(1, 3)
	events := frame.GetBatch().GetEvents()
	second := events[1].GetRegularMessage()
	second.Groups, second.Payload = []string{"g", "h"}, []byte{0, 255}
	second.MessageType, second.ServiceType = -32768, pb.ServiceType_SERVICE_TYPE_SAFE
	second.EndianMismatch, second.SelfDiscard, second.SpreadType = true, true, 0x60
	third := events[2].GetRegularMessage()
	second.Headers = map[string]string{"empty": "", "text": "Grüße\x00", "long": strings.Repeat("v", 200)}
	third.Sender, third.Groups = "#é#d", nil
	for i, event := range events {
		event.ReceivedAt = &timestamppb.Timestamp{Seconds: int64(i), Nanos: 5_000_000}
	}
	view := &pb.MembershipView{Group: "g", Members: []string{"#a#d"}, OwnIndex: -1}
	frame.GetBatch().Events = append(events, &pb.Event{Sequence: 4, Kind: &pb.Event_MembershipView{MembershipView: view}})
	data, err := proto.Marshal(frame)
	if err != nil {
		t.Fatal(err)
	}
	read := &receivedFrame{}
	if err := read.decode(data); err != nil {
		t.Fatal(err)
	}
	for i, event := range frame.GetBatch().GetEvents() {
		got, wanted := describe(read.events[i].event), describe(toEvent(event))
		if got != wanted {
			t.Errorf("event %d is %s in place of %s", i+1, got, wanted)
		}
	}
	for cut := range data {
		if cut > 0 && read.decode(data[:cut]) == nil && proto.Unmarshal(data[:cut], &pb.ReceiveResponse{}) != nil {
			t.Errorf("the first %d bytes are taken for a frame", cut)
		}
	}
}

func describe(event Event) string {
	switch event := event.(type) {
	case *RegularMessage:
		return fmt.Sprintf("%v %q %q %v %d %q %v %v %d %q", event.ReceivedAt, event.Sender, event.Groups, event.ServiceType, event.MessageType,
			event.Payload, event.EndianMismatch, event.SpreadType, event.Sequence, event.Headers)
	default:
		return fmt.Sprintf("%+v", event)
	}
}

func TestReceivedMessagesHaveHeaders(t *testing.T) {
	headers := map[string]string{HeaderContentType: "text/plain", "empty": ""}
	f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
		frame := batchFrame(1, 2)
		frame.GetBatch().GetEvents()[1].GetRegularMessage().Headers = headers
		rejected := &pb.Event_RejectedMessage{RejectedMessage: &pb.RejectedMessage{Headers: headers}}
		frame.GetBatch().Events = append(frame.GetBatch().Events, &pb.Event{Sequence: 3, Kind: rejected})
		_ = send(stream, attachedFrame(1), frame)
		return idle(stream)
	})
	mailbox := f.connect(t, MailboxOptions{})
	var got []map[string]string
	for range 3 {
		event, err := mailbox.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		switch event := event.(type) {
		case *RegularMessage:
			got = append(got, event.Headers)
		case *RejectedMessage:
			got = append(got, event.Headers)
		}
	}
	if len(got) != 3 || len(got[0]) != 0 || !maps.Equal(got[1], headers) || !maps.Equal(got[2], headers) {
		t.Error(got)
	}
}

func TestInvalidHeadersOfReceivedMessagesAreRejected(t *testing.T) {
	for name, data := range map[string][]byte{
		"name that is not UTF-8":  {0x0a, 1, 0xff},
		"value that is not UTF-8": {0x0a, 1, 'a', 0x12, 1, 0xff},
		"cut name":                {0x0a, 2, 'a'},
		"cut tag":                 {0x80},
	} {
		if _, _, err := decodeHeader(data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	unknown := []byte{0x1a, 1, 'x', 0x0a, 1, 'a', 0x12, 1, 'b', 0x20, 1}
	if name, value, err := decodeHeader(unknown); err != nil || name != "a" || value != "b" {
		t.Errorf("%q %q %v with fields that this release does not know", name, value, err)
	}
}

func FuzzFrame(f *testing.F) {
	data, err := proto.Marshal(batchFrame(1, 2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		read := &receivedFrame{}
		_ = read.decode(data)
	})
}

func TestEventsComeOnceThroughManyBreaks(t *testing.T) {
	const events = 3000
	chance := rand.New(rand.NewPCG(1, 2))
	f := startFake(t, func(n int, request *pb.ReceiveRequest, stream receiveStream) error {
		next := request.GetAfterSequence() + 1
		_ = send(stream, attachedFrame(next))
		if n >= 20 {
			for ; next <= events; next += 10 {
				_ = send(stream, batchFrame(next, min(next+9, events)))
			}
			return idle(stream)
		}
		for range chance.IntN(8) {
			// Sometimes the stream repeats events.
			from := next - uint64(chance.IntN(int(min(next, 3))))
			next += uint64(chance.IntN(20))
			_ = send(stream, batchFrame(from, next))
			next++
		}
		codes := []codes.Code{codes.Unavailable, codes.Internal, codes.Unknown, codes.Canceled}
		return status.Error(codes[chance.IntN(len(codes))], "cut")
	})
	options := ReceiveOptions{MaxBufferedEvents: 50}
	expectSequences(t, f.connect(t, MailboxOptions{ReceiveOptions: options}), 1, events)
}
