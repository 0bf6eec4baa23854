package spreadsidecar

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// giving is a handler of Receive that sends the given number of events, one in each frame.
func giving(count uint64) func(int, *pb.ReceiveRequest, receiveStream) error {
	return func(_ int, request *pb.ReceiveRequest, stream receiveStream) error {
		after := request.GetAfterSequence()
		_ = send(stream, attachedFrame(after+1))
		for sequence := after + 1; sequence <= count; sequence++ {
			_ = send(stream, batchFrame(sequence, sequence))
		}
		return idle(stream)
	}
}

func TestEventsEndWithTheMailbox(t *testing.T) {
	mailbox := startFake(t, giving(3)).connect(t, MailboxOptions{})
	var got []uint64
	for event, err := range mailbox.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, event.Info().Sequence)
		if len(got) == 3 {
			mailbox.Detach()
		}
	}
	if !slices.Equal(got, []uint64{1, 2, 3}) {
		t.Error(got)
	}
}

func TestEventsGiveTheEndAsTheirLast(t *testing.T) {
	f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
		_ = send(stream, attachedFrame(1), batchFrame(1, 1))
		return because(codes.Aborted, ErrLeaseExpired, nil)
	})
	var got []error
	for _, err := range f.connect(t, MailboxOptions{}).Events(t.Context()) {
		got = append(got, err)
	}
	if len(got) != 2 || got[0] != nil || !errors.Is(got[1], ErrLeaseExpired) {
		t.Error(got)
	}
}

func TestALoopThatIsLeftLosesNothing(t *testing.T) {
	mailbox := startFake(t, giving(4)).connect(t, MailboxOptions{})
	for range mailbox.Events(t.Context()) {
		break
	}
	expectSequences(t, mailbox, 2, 4)
}

func TestReceivingThatIsGivenUpLosesNothing(t *testing.T) {
	mailbox := startFake(t, giving(1)).connect(t, MailboxOptions{})
	expectSequences(t, mailbox, 1, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := mailbox.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrDeadlineExceeded) {
		t.Error(err)
	}
	cause := errors.New("enough")
	given, give := context.WithCancelCause(t.Context())
	give(cause)
	if _, err := mailbox.Receive(given); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
		t.Error(err)
	}
}

func TestReceiveManyReturnsAvailableEvents(t *testing.T) {
	f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
		_ = send(stream, attachedFrame(1), batchFrame(1, 5))
		return idle(stream)
	})
	mailbox := f.connect(t, MailboxOptions{})
	var got []uint64
	for len(got) < 5 {
		events, err := mailbox.ReceiveMany(t.Context(), 3)
		if err != nil || len(events) > 3 {
			t.Fatal(len(events), err)
		}
		for _, event := range events {
			got = append(got, event.Info().Sequence)
		}
	}
	if !slices.Equal(got, []uint64{1, 2, 3, 4, 5}) {
		t.Error(got)
	}
	if _, err := mailbox.ReceiveMany(t.Context(), 0); !errors.Is(err, ErrFieldInvalid) {
		t.Error(err)
	}
}

func TestAChannelDeliversEventsUntilItsContextEnds(t *testing.T) {
	mailbox := startFake(t, giving(3)).connect(t, MailboxOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	events, ended := mailbox.Channel(ctx)
	if event := <-events; event.Info().Sequence != 1 {
		t.Error(event)
	}
	cancel()
	for range events {
		t.Error("an event after the end")
	}
	if err := ended(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	// An event that was not read is not lost.
	expectSequences(t, mailbox, 2, 3)
	events, ended = mailbox.Channel(t.Context())
	mailbox.Detach()
	if _, open := <-events; open || ended() != nil {
		t.Error("the channel goes on", ended())
	}
}

func TestAnEventIsAcknowledgedWhenTheNextOneIsAskedFor(t *testing.T) {
	for name, take := range map[string]func(*Mailbox, context.Context) func(){
		"receive": func(m *Mailbox, ctx context.Context) func() {
			return func() { _, _ = m.Receive(ctx) }
		},
		"channel": func(m *Mailbox, ctx context.Context) func() {
			events, _ := m.Channel(ctx)
			return func() { <-events }
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, giving(3))
			f.mode = pb.Acknowledgement_ACKNOWLEDGEMENT_EXPLICIT
			next := take(f.connect(t, MailboxOptions{}), t.Context())
			acknowledged := func() uint64 {
				f.mu.Lock()
				defer f.mu.Unlock()
				return append([]uint64{0}, f.acknowledged...)[len(f.acknowledged)]
			}
			next()
			next()
			until(t, "the first is acknowledged", func() bool { return acknowledged() == 1 })
			next()
			until(t, "the second is acknowledged", func() bool { return acknowledged() == 2 })
		})
	}
}

func TestManualAcknowledgementIsLeftToTheApplication(t *testing.T) {
	f := startFake(t, giving(3))
	f.mode = pb.Acknowledgement_ACKNOWLEDGEMENT_EXPLICIT
	mailbox := f.connect(t, MailboxOptions{ReceiveOptions: ReceiveOptions{ManualAcknowledgement: true}})
	expectSequences(t, mailbox, 1, 3)
	if now, err := mailbox.Acknowledge(t.Context(), mailbox.LastSequence()); err != nil || now != 3 {
		t.Error(now, err)
	}
	if !slices.Equal(f.acknowledged, []uint64{3}) {
		t.Error(f.acknowledged)
	}
}

func TestAnUnusedMailboxKeepsItsLease(t *testing.T) {
	f := startFake(t, giving(0))
	f.lease = 300 * time.Millisecond
	mailbox := f.connect(t, MailboxOptions{})
	until(t, "it is polled", func() bool { return f.count(&f.polls) >= 2 })
	mailbox.Detach()
	polls := f.count(&f.polls)
	idle := f.connect(t, MailboxOptions{ReceiveOptions: ReceiveOptions{NoKeepAlive: true}})
	receiving := f.connect(t, MailboxOptions{ReceiveOptions: ReceiveOptions{AutoReceive: true}})
	until(t, "the stream stands", receiving.receiver.attached.Load)
	polls = f.count(&f.polls)
	time.Sleep(400 * time.Millisecond)
	if n := f.count(&f.polls); n != polls {
		t.Errorf("polled %d times more", n-polls)
	}
	idle.Detach()
}

func TestDisconnectIsDoneOnce(t *testing.T) {
	f := startFake(t, giving(2))
	mailbox := f.connect(t, MailboxOptions{})
	expectSequences(t, mailbox, 1, 1)
	for range 2 {
		if wasOpen, err := mailbox.Disconnect(t.Context(), DisconnectOptions{}); err != nil || !wasOpen {
			t.Error(wasOpen, err)
		}
	}
	if n := f.count(&f.disconnects); n != 1 {
		t.Errorf("%d calls", n)
	}
	for range 2 {
		if end := expectEnd(t, mailbox); !errors.Is(end, ErrIllegalSession) || !errors.Is(end, IllegalSession) {
			t.Error(end)
		}
	}
	if err := mailbox.Join(t.Context(), "g"); !errors.Is(err, ErrIllegalSession) {
		t.Error(err)
	}
}

func TestDisconnectReturnsFalseIfTheMailboxHasEnded(t *testing.T) {
	f := startFake(t, giving(0))
	f.onDisconnect = func() error { return because(codes.ResourceExhausted, ErrSlowConsumer, nil) }
	mailbox := f.connect(t, MailboxOptions{})
	if wasOpen, err := mailbox.Disconnect(t.Context(), DisconnectOptions{}); err != nil || wasOpen {
		t.Error(wasOpen, err)
	}
}

func TestConnectRejectsAResponseWithoutAMailboxID(t *testing.T) {
	f := startFake(t, nil)
	f.mailboxID = ""
	_, err := Connect(t.Context(), Options{Target: f.target}, MailboxOptions{})
	if status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "the response of Connect has no mailbox_id") {
		t.Error(err)
	}
}

func TestAFailedAcknowledgementEndsReceivingOnlyIfTheStreamDoesNotReportTheCause(t *testing.T) {
	for reason, endsReceiving := range map[Reason]bool{ErrQueueOverflow: false, ErrFieldInvalid: true} {
		t.Run(string(reason), func(t *testing.T) {
			f := startFake(t, giving(3))
			f.mode = pb.Acknowledgement_ACKNOWLEDGEMENT_EXPLICIT
			f.onAcknowledge = func() error { return because(codes.ResourceExhausted, reason, nil) }
			mailbox := f.connect(t, MailboxOptions{})
			expectSequences(t, mailbox, 1, 1)
			if endsReceiving {
				if err := expectEnd(t, mailbox); !errors.Is(err, reason) {
					t.Error(err)
				}
				return
			}
			expectSequences(t, mailbox, 2, 3)
			mailbox.acknowledger.close()
			if err := mailbox.inbox.failure(); err != nil {
				t.Error(err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if len(f.acknowledged) > 1 {
				t.Error("the client acknowledges again:", f.acknowledged)
			}
		})
	}
}

func TestARestoredConnectionHasItsNewNames(t *testing.T) {
	f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
		restored := &pb.ConnectionRestored{PreviousPrivateGroup: "#a#d", PrivateGroup: "#a2#e", Daemon: "4803@e"}
		event := &pb.Event{Sequence: 1, Kind: &pb.Event_ConnectionRestored{ConnectionRestored: restored}}
		batch := &pb.EventBatch{Events: []*pb.Event{event}}
		_ = send(stream, attachedFrame(1), &pb.ReceiveResponse{Frame: &pb.ReceiveResponse_Batch{Batch: batch}})
		return idle(stream)
	})
	mailbox := f.connect(t, MailboxOptions{})
	expectSequences(t, mailbox, 1, 1)
	if mailbox.PrivateGroup() != "#a2#e" || mailbox.Daemon() != "4803@e" {
		t.Error(mailbox.PrivateGroup(), mailbox.Daemon())
	}
}

func TestAttachResumesByTheAcknowledgementMode(t *testing.T) {
	f := startFake(t, giving(9))
	sidecar, err := New(Options{Target: f.target})
	if err != nil {
		t.Fatal(err)
	}
	defer sidecar.Close()
	mailbox, err := sidecar.Attach(t.Context(), "id", AttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	expectSequences(t, mailbox, 3, 4)
	after := uint64(7)
	again, err := sidecar.Attach(t.Context(), mailbox.Detach().MailboxID, AttachOptions{AfterSequence: &after})
	if err != nil {
		t.Fatal(err)
	}
	expectSequences(t, again, 8, 9)
	if resumption := again.Detach(); resumption != (Resumption{MailboxID: "id", AfterSequence: 9}) {
		t.Error(resumption)
	}
}

func TestAChannelThatIsClosedClosesItsMailboxes(t *testing.T) {
	f := startFake(t, giving(0))
	sidecar, err := New(Options{Target: f.target})
	if err != nil {
		t.Fatal(err)
	}
	mailbox, err := sidecar.Connect(t.Context(), MailboxOptions{ReceiveOptions: ReceiveOptions{AutoReceive: true}})
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := mailbox.Receive(context.Background())
		waiting <- err
	}()
	if err := sidecar.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waiting; !errors.Is(err, ErrIllegalSession) {
		t.Error(err)
	}
	if _, err := sidecar.Version(t.Context()); err == nil {
		t.Error("a closed channel answers")
	}
	if err := sidecar.Close(); err != nil {
		t.Error(err)
	}
	if f.count(&f.disconnects) != 1 {
		t.Error("the mailbox lives on")
	}
}

func TestMailboxesMayOutliveTheirChannel(t *testing.T) {
	f := startFake(t, giving(0))
	sidecar, err := New(Options{Target: f.target})
	if err != nil {
		t.Fatal(err)
	}
	mailbox, err := sidecar.Connect(t.Context(), MailboxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sidecar.Shutdown(t.Context(), ShutdownOptions{KeepMailboxes: true}); err != nil {
		t.Error(err)
	}
	if f.count(&f.disconnects) != 0 {
		t.Error("the mailbox was disconnected")
	}
	if err := mailbox.Close(); err != nil || f.count(&f.disconnects) != 0 {
		t.Error("it was let go of", err)
	}
}

func TestADisconnectThatItsCallerCancelsFails(t *testing.T) {
	f := startFake(t, giving(0))
	sidecar, err := New(Options{Target: f.target})
	if err != nil {
		t.Fatal(err)
	}
	defer sidecar.Close()
	mailbox, err := sidecar.Connect(t.Context(), MailboxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mailbox.Disconnect(ctx, DisconnectOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestMailboxesAreListedPageByPage(t *testing.T) {
	f := startFake(t, nil)
	sidecar, err := New(Options{Target: f.target, Token: "client"})
	if err != nil {
		t.Fatal(err)
	}
	defer sidecar.Close()
	var groups []string
	for info, err := range sidecar.ListMailboxes(t.Context(), ListOptions{AdminToken: "admin"}) {
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, info.PrivateGroup)
	}
	if !slices.Equal(groups, []string{"#", "#2", "#3"}) || f.tokens[2] != "Bearer admin" {
		t.Error(groups, f.tokens)
	}
	for range sidecar.ListMailboxes(t.Context(), ListOptions{}) {
		break
	}
	if f.tokens[3] != "Bearer client" {
		t.Error(f.tokens)
	}
}

func TestTheSidecarIsWaitedFor(t *testing.T) {
	f := startFake(t, nil)
	f.server.Stop()
	sidecar, err := New(Options{Target: f.target})
	if err != nil {
		t.Fatal(err)
	}
	defer sidecar.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err = sidecar.WaitForReady(ctx, ReadyOptions{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	ready := make(chan error, 1)
	go func() { ready <- sidecar.WaitForReady(context.Background(), ReadyOptions{}) }()
	f.listen(t, f.target)
	if err := <-ready; err != nil {
		t.Error(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := sidecar.WaitForReady(ctx, ReadyOptions{Daemon: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestACallHasADeadlineOfItsOwn(t *testing.T) {
	f := startFake(t, nil)
	f.onPoll = func() error { time.Sleep(100 * time.Millisecond); return nil }
	mailbox := f.connectWith(t, Options{CallTimeout: 20 * time.Millisecond}, MailboxOptions{})
	if _, err := mailbox.Poll(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestMulticastSendsHeaders(t *testing.T) {
	f := startFake(t, nil)
	mailbox := f.connect(t, MailboxOptions{})
	headers := map[string]string{HeaderCorrelationID: "42", "empty": ""}
	for _, option := range []MessageOption{WithHeaders(headers), WithHeaders(nil), WithHeaders(map[string]string{})} {
		if _, err := mailbox.Multicast(t.Context(), SafeMess, "g", nil, 0, option); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.multicasts; !maps.Equal(got[0].GetHeaders(), headers) || len(got[1].GetHeaders()) != 0 || len(got[2].GetHeaders()) != 0 {
		t.Error(got)
	}
	_, err := mailbox.Multicast(t.Context(), SafeMess, "g", nil, 0, WithHeaders(map[string]string{"a": "\xff"}))
	var failure *SpreadError
	if !errors.As(err, &failure) || failure.Reason != ErrFieldInvalid || failure.Metadata["field"] != `headers["a"]` || len(f.multicasts) != 3 {
		t.Error(err)
	}
}

func TestAFailedSendReportsItsOutcome(t *testing.T) {
	f := startFake(t, nil)
	mailbox := f.connect(t, MailboxOptions{})
	if sent, err := mailbox.Multicast(t.Context(), SafeMess|SelfDiscard, "g", []byte("abc"), -3); err != nil || sent != 3 {
		t.Error(sent, err)
	}
	if got := f.multicasts[0]; !got.GetSelfDiscard() || got.GetMessageType() != -3 || len(got.GetHeaders()) != 0 {
		t.Error(got)
	}
	f.mu.Lock()
	f.onMulticast = func() error { return status.Error(codes.Unavailable, "cut") }
	f.mu.Unlock()
	_, err := mailbox.Multicast(t.Context(), SafeMess, "g", nil, 0)
	var failure *SpreadError
	if !errors.As(err, &failure) || failure.Outcome != OutcomeUnknown || !failure.Retryable || status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mailbox.Multicast(ended, SafeMess, "g", nil, 0); err.(*SpreadError).Outcome != OutcomeNotSent {
		t.Error(err)
	}
}

func TestInvalidOptionsAreRejected(t *testing.T) {
	f := startFake(t, nil)
	sidecar, err := New(Options{Target: f.target})
	if err != nil {
		t.Fatal(err)
	}
	defer sidecar.Close()
	for name, options := range map[string]MailboxOptions{
		"lease":         {Lease: -1},
		"priority":      {Priority: -1},
		"auth":          {Auth: "X"},
		"name conflict": {OnNameConflict: "X"},
		"name":          {PrivateName: "\xff"},
		"give up":       {Reconnect: &ReconnectOptions{GiveUpAfter: -1}},
		"name loss":     {Reconnect: &ReconnectOptions{OnNameLoss: "X"}},
		"overflow":      {Queue: &QueueOptions{Overflow: "X"}},
		"fraction":      {Queue: &QueueOptions{SoftLimit: &SoftLimit{Fraction: 2}}},
	} {
		if _, err := sidecar.Connect(t.Context(), options); !errors.Is(err, ErrFieldInvalid) {
			t.Error(name, err)
		}
	}
}
