package spreadsidecar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
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
	return fmt.Sprintf("messages refused: %d, the first: %s", e.Count, e.Refusals[0].Err.Message)
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

// isOver tells whether the stream has ended.
func (s *Sender) isOver() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (s *Sender) isFull() bool {
	return s.inFlight >= s.options.MaxInFlightMessages || (s.inFlightBytes >= s.options.MaxInFlightBytes && s.inFlight > 0)
}

func (s *Sender) checkOpen() error {
	if s.failure != nil {
		return s.failure
	}
	if s.closing {
		return &SpreadError{Message: "the sender is closed", Status: codes.FailedPrecondition, Outcome: OutcomeNotSent}
	}
	return nil
}

// lastFrame is the frame that the next message belongs into.
func (s *Sender) lastFrame() *sendFrame {
	if len(s.frames) > s.toWrite {
		last := s.frames[len(s.frames)-1]
		if last.size() < s.options.MaxBatchBytes && len(last.ends) < batchMessages {
			return last
		}
	}
	frame := newSendFrame(s.lastSize + s.lastSize/8)
	s.frames = append(s.frames, frame)
	return frame
}

func (s *Sender) awaken() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Sender) untilChange() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

func (s *Sender) change() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// next gives the frame that is to be written; nil and false when there is none now, nil and true when none will come.
func (s *Sender) next() (*sendFrame, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return nil, true
	}
	if s.toWrite == len(s.frames) {
		return nil, s.closing
	}
	frame := s.frames[s.toWrite]
	s.lastSize = frame.size()
	s.toWrite++
	s.written += uint64(len(frame.ends))
	return frame, false
}

// write gives frames to the stream. While it waits for the stream, the next ones gather.
func (s *Sender) write() {
	for {
		select {
		case <-s.wake:
		case <-s.ended:
			return
		}
		for {
			frame, last := s.next()
			if last {
				// The reading goroutine learns how the stream ended.
				_ = s.stream.CloseSend()
				return
			}
			if frame == nil {
				break
			}
			s.keepAlive.used()
			if s.stream.SendMsg(frame) != nil {
				return
			}
		}
	}
}

// read takes the answers, and the end of the stream.
func (s *Sender) read() {
	defer s.cancel()
	for {
		answer, err := s.stream.Recv()
		if err != nil {
			s.onEnd(err)
			return
		}
		s.keepAlive.used()
		refusals := s.onAnswer(answer)
		if s.options.OnRefused != nil && len(refusals) > 0 {
			s.tasks.callback(func() {
				for _, refusal := range refusals {
					s.options.OnRefused(refusal)
				}
			})
		}
		s.mu.Lock()
		s.told = s.progress.Decided
		s.change()
		s.mu.Unlock()
	}
}

func (s *Sender) onAnswer(answer *pb.MulticastStreamResponse) []Refusal {
	var refusals []Refusal
	for _, refusal := range answer.GetRefusals() {
		refusals = append(refusals, toRefusal(refusal))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for decided := min(answer.GetDecided(), s.written); s.progress.Decided < decided; {
		frame := s.frames[0]
		count := min(int(decided-s.progress.Decided), len(frame.ends)-frame.decided)
		s.inFlight -= count
		s.inFlightBytes -= frame.start(frame.decided+count) - frame.start(frame.decided)
		s.progress.Decided += uint64(count)
		frame.decided += count
		if frame.decided == len(frame.ends) {
			s.frames[0] = nil
			s.frames = s.frames[1:]
			s.toWrite--
		}
	}
	s.progress.Accepted = answer.GetAccepted()
	if s.options.OnRefused == nil {
		s.refused += len(refusals)
		s.refusals = append(s.refusals, refusals[:min(len(refusals), keptRefusals-len(s.refusals))]...)
	}
	s.change()
	return refusals
}

func toRefusal(refusal *pb.MulticastRefusal) Refusal {
	metadata := maps.Clone(refusal.GetMetadata())
	if metadata == nil {
		metadata = map[string]string{}
	}
	metadata["index"] = strconv.FormatUint(refusal.GetIndex(), 10)
	outcome := OutcomeNotSent
	if metadata["outcome"] == string(OutcomeUnknown) {
		outcome = OutcomeUnknown
	}
	return Refusal{Index: refusal.GetIndex(), Err: &SpreadError{
		Message:   refusal.GetStatusMessage(),
		Status:    codes.Code(refusal.GetStatusCode()),
		Reason:    Reason(refusal.GetReason()),
		Domain:    refusal.GetDomain(),
		Metadata:  metadata,
		Retryable: codes.Code(refusal.GetStatusCode()) == codes.Unavailable,
		Outcome:   outcome,
	}}
}

func (s *Sender) takeRefusals() error {
	if s.refused == 0 {
		return nil
	}
	err := &RefusedError{Count: s.refused, Refusals: s.refusals}
	s.refusals, s.refused = nil, 0
	return err
}

func (s *Sender) onEnd(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return
	}
	if !errors.Is(err, io.EOF) {
		failure := s.endpoint.explain(err, s.peer)
		if failure.Reason == ErrSidecarUnreachable {
			s.fail(failure)
			return
		}
		failure.forSend(err)
		// The sidecar may know that it handed on nothing of what it has not answered.
		failure.Outcome = s.outcome()
		if failure.Metadata["outcome"] == string(OutcomeNotSent) {
			failure.Outcome = OutcomeNotSent
		}
		s.fail(failure)
		return
	}
	if !s.closing || s.progress.Decided < s.progress.Sent {
		message := "the sidecar ended the stream before all messages were decided"
		s.fail(&SpreadError{Message: message, Status: codes.Unavailable, Outcome: OutcomeUnknown})
		return
	}
	close(s.ended)
	s.change()
}

// outcome says whether something is in doubt when the stream ends now.
func (s *Sender) outcome() Outcome {
	if s.progress.Decided == s.progress.Sent {
		return OutcomeNotSent
	}
	return OutcomeUnknown
}

// fail ends it; the caller has the lock and knows that it has not ended.
func (s *Sender) fail(err *SpreadError) {
	if s.failure != nil {
		return
	}
	s.failure = err
	close(s.ended)
	s.change()
}
