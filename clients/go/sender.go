package spreadsidecar

import (
	"context"
	"fmt"
	"io"
	"sync"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
)

// Refusal is a message of a [Sender] that was refused. Nothing of it was sent.
type Refusal struct {
	// Index is its number among the sender's messages, from 1.
	Index uint64
	// Err is what a call of Multicast would have failed with.
	Err *SpreadError
}

// RefusedError has the refusals that nobody listened to. [errors.Is] and [errors.As] look into them.
type RefusedError struct {
	// Count is how many messages were refused.
	Count int
	// Refusals is the first hundred of them.
	Refusals []Refusal
}

// Error shows the first.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("rejected messages: %d, the first: %s", e.Count, e.Refusals[0].Err.Message)
}

// Unwrap is the errors of the refusals.
func (e *RefusedError) Unwrap() []error {
	errs := make([]error, len(e.Refusals))
	for i, refusal := range e.Refusals {
		errs[i] = refusal.Err
	}
	return errs
}

// SenderProgress is how far a [Sender] has come.
type SenderProgress struct {
	// Sent is the messages given to Send.
	Sent uint64
	// Decided: the messages 1 to Decided were handed to the daemon or refused.
	Decided uint64
	// Accepted is how many of them were handed to the daemon.
	Accepted uint64
}

// OutgoingMessage is a message that was given to a sender.
type OutgoingMessage struct {
	ServiceType Service
	Groups      []string
	Payload     []byte
	MessageType int
}

// SenderOptions says how a [Sender] works.
type SenderOptions struct {
	// MaxInFlightMessages is the most messages that may be on their way, not yet decided. Default: 10,000.
	MaxInFlightMessages int
	// MaxInFlightBytes is the most bytes of such messages. One is always let through. Default: 4 MiB.
	MaxInFlightBytes int
	// MaxBatchBytes: a frame is written when its messages have so many bytes; the last of them may be more. Lower it where
	// the sidecar's grpc.maxReceiveMessageBytes (4 MiB by default) is set lower. Default: 1 MiB.
	MaxBatchBytes int
	// OnRefused is called for each message that is refused, in order, before Flush returns. The answers that follow wait
	// until it returns: it must not wait for the sender. Without it refusals are collected, the first
	// hundred of them in full, and the next Flush or Close fails with a [*RefusedError].
	OnRefused func(Refusal)
}

const (
	// batchMessages: a frame is written when it holds so many.
	batchMessages = 1024
	// keptRefusals: of refusals that nobody listens to, so many are kept.
	keptRefusals = 100
)

// Sender sends many messages fast and in order, over one stream. What is sent while a frame is being written travels
// together in the next one; Send waits only while too much is on its way.
//
// A stream that breaks is not restored, because that could send a message twice: everything fails with the same error,
// and Undecided has the messages whose outcome is not known.
type Sender struct {
	stream   grpc.BidiStreamingClient[pb.MulticastStreamRequest, pb.MulticastStreamResponse]
	cancel   context.CancelFunc
	endpoint *endpoint
	// peer is where the stream goes, once it has ended; without an address it never got a connection.
	peer      *peer.Peer
	options   SenderOptions
	keepAlive *keepAlive
	tasks     *tasks
	// wake tells the writing goroutine that there is something to do.
	wake chan struct{}
	// ended is closed when the stream is over.
	ended chan struct{}

	mu sync.Mutex
	// frames has what is not decided; those from toWrite on were not yet given to the stream.
	frames  []*sendFrame
	toWrite int
	written uint64
	// lastSize is the bytes of the last frame that was written.
	lastSize      int
	inFlight      int
	inFlightBytes int
	progress      SenderProgress
	// told: the refusals among the messages 1 to told were given to OnRefused.
	told     uint64
	refusals []Refusal
	refused  int
	failure  *SpreadError
	closing  bool
	// changed is closed at each change that somebody may wait for; nil while nobody waits.
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
		return nil, contextError(ctx, "the stream was not yet opened")
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	// While it is being opened, the caller's context ends it too.
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
		open := &pb.MulticastStreamOpen{MailboxId: m.id}
		err = stream.Send(&pb.MulticastStreamRequest{Frame: &pb.MulticastStreamRequest_Open{Open: open}})
		if err == io.EOF {
			// The stream's own answer tells why.
			_, err = stream.Recv()
		}
	}
	if !stop() && err == nil {
		err = contextError(ctx, "the stream was opened")
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
	}
	s.tasks.begin(s.write)
	s.tasks.begin(s.read)
	return s, nil
}

// Progress is how far it has come.
func (s *Sender) Progress() SenderProgress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.progress
}

// Undecided gives the messages that were sent and are not decided, oldest first. After a failure: those whose outcome is
// unknown.
func (s *Sender) Undecided() []OutgoingMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	var result []OutgoingMessage
	for _, frame := range s.frames {
		result = append(result, frame.undecided()...)
	}
	return result
}

// Send sends a message to the members of a group, or to a private group. It waits while too much is on its way, and does
// not say that the message was handed to the daemon: Flush does. The payload may be changed when it has returned. When
// it fails, the message is not among those that were sent.
func (s *Sender) Send(ctx context.Context, service Service, group string, payload []byte, messageType int) error {
	groups := [1]string{group}
	return s.SendMultigroup(ctx, service, groups[:], payload, messageType)
}

// SendMultigroup sends a message to the members of several groups. Else like [Sender.Send].
func (s *Sender) SendMultigroup(
	ctx context.Context, service Service, groups []string, payload []byte, messageType int,
) error {
	kind, err := checkOutgoing(service, groups, messageType)
	if err != nil {
		return err
	}
	s.mu.Lock()
	for s.isFull() && s.failure == nil && !s.closing {
		changed := s.untilChange()
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			err := contextError(ctx, "waiting for room to send")
			err.Outcome = OutcomeNotSent
			return err
		}
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if err := s.checkOpen(); err != nil {
		return err
	}
	frame := s.lastFrame()
	size := frame.add(kind, groups, payload, int32(messageType), service.IsSelfDiscard())
	s.progress.Sent++
	s.inFlight++
	s.inFlightBytes += size
	s.awaken()
	return nil
}

// Flush waits until everything that was sent before is decided. It fails with a [*RefusedError] when messages were
// refused and there is no OnRefused, and with a [*SpreadError] when the stream broke.
func (s *Sender) Flush(ctx context.Context) (SenderProgress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for until := s.progress.Sent; s.told < until; {
		if s.failure != nil {
			return s.progress, s.failure
		}
		changed := s.untilChange()
		s.mu.Unlock()
		select {
		case <-changed:
			s.mu.Lock()
		case <-ctx.Done():
			s.mu.Lock()
			return s.progress, contextError(ctx, "waiting for messages to be decided")
		}
	}
	return s.progress, s.takeRefusals()
}

// Close flushes and ends the stream. It fails as Flush does; when the context ends first, the stream is aborted.
func (s *Sender) Close(ctx context.Context) (SenderProgress, error) {
	s.mu.Lock()
	if s.failure == nil {
		s.closing = true
		s.change()
		s.awaken()
	}
	s.mu.Unlock()
	select {
	case <-s.ended:
	case <-ctx.Done():
		s.Abort()
		return s.Progress(), contextError(ctx, "waiting for messages to be decided")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return s.progress, s.failure
	}
	return s.progress, s.takeRefusals()
}

// Abort ends the stream without waiting; messages that are not decided may or may not have been sent.
func (s *Sender) Abort() {
	s.mu.Lock()
	if !s.isOver() {
		s.fail(&SpreadError{Message: "the sender was aborted", Status: codes.Canceled, Outcome: s.outcome()})
	}
	s.mu.Unlock()
	s.cancel()
}
