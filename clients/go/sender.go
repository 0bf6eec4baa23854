package spreadsidecar

import (
	"context"
	"fmt"
	"io"
	"sync"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/rules"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
)

// Refusal is a rejected message of a [Sender]. It was not sent.
type Refusal struct {
	// Index is the position of the message among the sender's messages, starting at 1.
	Index uint64
	// Err is the error with which a call of Multicast would have failed.
	Err *SpreadError
}

// RefusedError has the rejected messages of a sender without OnRefused. [errors.Is] and [errors.As] search
// the errors of these messages.
type RefusedError struct {
	// Count is the number of rejected messages.
	Count int
	// Refusals has the first 100 rejected messages.
	Refusals []Refusal
}

// Error returns the message of the first error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("rejected messages: %d; first error: %s", e.Count, e.Refusals[0].Err.Message)
}

// Unwrap returns the errors of the rejected messages.
func (e *RefusedError) Unwrap() []error {
	errs := make([]error, len(e.Refusals))
	for i, refusal := range e.Refusals {
		errs[i] = refusal.Err
	}
	return errs
}

// SenderProgress is the progress of a [Sender]. The sidecar reports the progress within 20 ms, or when Flush waits
// for it.
type SenderProgress struct {
	// Sent is the number of messages passed to Send.
	Sent uint64
	// Decided is the number of messages with a known result: the messages 1 to Decided were passed to the
	// daemon or rejected.
	Decided uint64
	// Accepted is the number of messages that were passed to the daemon.
	Accepted uint64
}

// OutgoingMessage is a message of a sender.
type OutgoingMessage struct {
	ServiceType Service
	Groups      []string
	Payload     []byte
	MessageType int
	// Headers is nil if the message has none.
	Headers map[string]string
}

// SenderOptions are the options of a [Sender].
type SenderOptions struct {
	// MaxInFlightMessages is the maximum number of messages in flight: sent, but not yet passed to the daemon
	// or rejected. Default: 10,000.
	MaxInFlightMessages int
	// MaxInFlightBytes is the maximum size of the messages in flight. A single message may be larger.
	// Default: 4 MiB.
	MaxInFlightBytes int
	// MaxBatchBytes is the size at which the sender writes a frame of messages. The last message of a frame
	// may exceed the size. Set a lower value if the sidecar's grpc.maxReceiveMessageBytes (4 MiB by default)
	// is lower. Default: 1 MiB.
	MaxBatchBytes int
	// The sender calls OnRefused for each rejected message, in order, before Flush returns. Later responses
	// wait until OnRefused returns. OnRefused must therefore not wait for the sender. If OnRefused is not
	// set, the next Flush or Close fails with a [*RefusedError], which contains the first 100 errors.
	OnRefused func(Refusal)
}

// Sender sends many messages fast and in order over one stream. Messages that are sent while the client
// writes a frame share the next frame. Send waits only at the limit of messages in flight.
//
// The client does not replace a broken stream, because that could send a message twice. All later calls fail
// with the same error, and Undecided returns the messages with an unknown outcome.
type Sender struct {
	stream   grpc.BidiStreamingClient[pb.MulticastStreamRequest, pb.MulticastStreamResponse]
	cancel   context.CancelFunc
	endpoint *endpoint
	// peer is the peer of the stream, after its end. Without an address, the stream had no connection.
	peer      *peer.Peer
	options   SenderOptions
	keepAlive *keepAlive
	tasks     *tasks
	// wake wakes the writing goroutine.
	wake chan struct{}
	// ended is closed at the end of the stream.
	ended chan struct{}

	mu     sync.Mutex
	window *rules.SendWindow
	// frames has the frames that are not decided. Those from toWrite on were not yet written.
	frames  []*sendFrame
	toWrite int
	// lastSize is the encoded size of the last written frame.
	lastSize int
	accepted uint64
	// reported: OnRefused got the rejected messages among the messages 1 to reported.
	reported uint64
	refusals []Refusal
	refused  int
	failure  *SpreadError
	// changed is closed at each change. Nil while no goroutine waits.
	changed chan struct{}
}

func newSender(ctx context.Context, m *Mailbox, options SenderOptions) (*Sender, error) {
	if options.MaxInFlightMessages <= 0 {
		options.MaxInFlightMessages = 10_000
	}
	if options.MaxInFlightBytes <= 0 {
		options.MaxInFlightBytes = 4 << 20
	}
	if options.MaxBatchBytes <= 0 {
		options.MaxBatchBytes = 1 << 20
	}
	if ctx.Err() != nil {
		return nil, contextError(ctx, "opening the stream")
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	// The caller's context can also cancel the opening.
	stop := context.AfterFunc(ctx, cancel)
	outgoing, err := m.rpc.outgoing(life)
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	p := &peer.Peer{}
	stream, err := m.rpc.stub.MulticastStream(outgoing, grpc.ForceCodecV2(codec), grpc.Peer(p))
	if err == nil {
		open := &pb.MulticastStreamOpen{MailboxId: m.id, RespondsOnRequest: true} // S4
		err = stream.Send(&pb.MulticastStreamRequest{Frame: &pb.MulticastStreamRequest_Open{Open: open}})
		if err == io.EOF {
			// The response of the stream has the reason.
			_, err = stream.Recv()
		}
	}
	if !stop() && err == nil {
		err = contextError(ctx, "opening the stream")
	}
	if err != nil {
		cancel()
		return nil, withContext(ctx, m.rpc.endpoint.explain(err, p).forSend(err))
	}
	s := &Sender{
		stream:    stream,
		cancel:    cancel,
		endpoint:  m.rpc.endpoint,
		peer:      p,
		options:   options,
		keepAlive: m.keepAlive,
		tasks:     &m.tasks,
		wake:      make(chan struct{}, 1),
		ended:     make(chan struct{}),
		window: rules.NewSendWindow(rules.SendWindowOptions{
			MaxInFlightMessages: options.MaxInFlightMessages,
			MaxInFlightBytes:    options.MaxInFlightBytes,
			MaxBatchBytes:       options.MaxBatchBytes,
		}),
	}
	s.tasks.begin(s.write)
	s.tasks.begin(s.read)
	return s, nil
}

// Progress returns the progress.
func (s *Sender) Progress() SenderProgress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.progress()
}

// Undecided returns the sent messages that were neither passed to the daemon nor rejected, oldest first.
// After a failure, their outcome is unknown.
func (s *Sender) Undecided() []OutgoingMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	var result []OutgoingMessage
	for _, frame := range s.frames {
		result = append(result, frame.undecided()...)
	}
	return result
}

// Send sends a message to the members of a group, or to a private group. It waits only at the limit of
// messages in flight. The call does not wait until the daemon gets the message; use Flush for that. The
// payload and the headers may change after Send returns. If Send fails, the message does not count as sent.
//
// To send headers with the message, pass [WithHeaders].
func (s *Sender) Send(
	ctx context.Context, service Service, group string, payload []byte, messageType int, options ...MessageOption,
) error {
	groups := [1]string{group}
	return s.SendMultigroup(ctx, service, groups[:], payload, messageType, options...)
}

// SendMultigroup sends a message to the members of several groups. In all other respects, it works like
// [Sender.Send].
func (s *Sender) SendMultigroup(
	ctx context.Context, service Service, groups []string, payload []byte, messageType int, options ...MessageOption,
) error {
	kind, err := checkOutgoing(service, groups, messageType)
	if err != nil {
		return err
	}
	headers, err := headersOf(options)
	if err != nil {
		return err
	}
	for {
		_, full, err := s.trySend(kind, groups, payload, int32(messageType), service.IsSelfDiscard(), headers)
		if full == nil {
			return err
		}
		select {
		case <-full:
		case <-ctx.Done():
			err := contextError(ctx, "waiting for room to send")
			err.Outcome = OutcomeNotSent
			return err
		}
	}
}

// trySend sends a message and returns its index. At the limit of messages in flight, it instead returns a channel
// that is closed at the next change.
func (s *Sender) trySend(
	kind pb.ServiceType, groups []string, payload []byte, messageType int32, selfDiscard bool, headers map[string]string,
) (index uint64, full <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkOpen(); err != nil {
		return 0, nil, err
	}
	if s.window.IsFull() {
		return 0, s.untilChange(), nil
	}
	if s.window.Send(rules.MessageSize(len(payload), len(groups), encodedHeadersSize(headers))) {
		s.frames = append(s.frames, newSendFrame(s.lastSize+s.lastSize/8))
	}
	s.frames[len(s.frames)-1].add(kind, groups, payload, messageType, selfDiscard, headers)
	s.awaken()
	return s.window.Sent(), nil, nil
}

// Flush waits until all earlier messages were passed to the daemon or rejected. It fails with a
// [*RefusedError] if messages were rejected and OnRefused is not set. It fails with a [*SpreadError] if the
// stream broke.
func (s *Sender) Flush(ctx context.Context) (SenderProgress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.window.Flush()
	s.awaken()
	for until := s.window.Sent(); s.reported < until; {
		if s.failure != nil {
			return s.progress(), s.failure
		}
		changed := s.untilChange()
		s.mu.Unlock()
		select {
		case <-changed:
			s.mu.Lock()
		case <-ctx.Done():
			s.mu.Lock()
			return s.progress(), contextError(ctx, "waiting for the sidecar to accept or reject messages")
		}
	}
	return s.progress(), s.takeRefusals()
}

// Close flushes the messages and ends the stream. It fails like Flush. If the context ends first, Close
// aborts the stream.
func (s *Sender) Close(ctx context.Context) (SenderProgress, error) {
	s.mu.Lock()
	if s.failure == nil {
		s.window.Close()
		s.change()
		s.awaken()
	}
	s.mu.Unlock()
	select {
	case <-s.ended:
	case <-ctx.Done():
		s.Abort()
		return s.Progress(), contextError(ctx, "waiting for the sidecar to accept or reject messages")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return s.progress(), s.failure
	}
	return s.progress(), s.takeRefusals()
}

// Abort ends the stream without waiting. The outcome of messages that were neither passed to the daemon nor
// rejected is unknown.
func (s *Sender) Abort() {
	s.mu.Lock()
	if !s.isOver() {
		failure := &SpreadError{Message: "the sender was aborted", Status: codes.Canceled}
		failure.Outcome = Outcome(s.window.Outcome(toFailure(failure)))
		s.fail(failure)
	}
	s.mu.Unlock()
	s.cancel()
}
