package spreadsidecar

import (
	"errors"
	"io"
	"maps"
	"strconv"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/rules"
	"google.golang.org/grpc/codes"
)

// isOver reports whether the stream has ended.
func (s *Sender) isOver() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (s *Sender) progress() SenderProgress {
	return SenderProgress{Sent: s.window.Sent(), Decided: s.window.Decided(), Accepted: s.accepted}
}

// streamFailure returns the error that ended the sender, or nil.
func (s *Sender) streamFailure() *SpreadError {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// reportedMessages returns the number of messages whose result is known, and was passed to OnRefused if it is a
// rejection.
func (s *Sender) reportedMessages() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reported
}

func (s *Sender) checkOpen() error {
	if s.failure != nil {
		return s.failure
	}
	if s.window.IsClosing() {
		return &SpreadError{Message: "the sender is closed", Status: codes.FailedPrecondition, Outcome: OutcomeNotSent}
	}
	return nil
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

// next returns the frame to write. It returns nil and false if there is none now, and nil and true if none
// will follow.
func (s *Sender) next() (*sendFrame, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return nil, true
	}
	next, ok := s.window.Next()
	if !ok {
		return nil, s.window.IsClosing()
	}
	if next.Messages == 0 {
		frame := newSendFrame(0)
		frame.respond = next.Respond
		return frame, false
	}
	frame := s.frames[s.toWrite]
	frame.respond = next.Respond
	s.lastSize = frame.size()
	s.toWrite++
	return frame, false
}

// write writes frames to the stream. During a write, the next messages are collected in a frame.
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
				// The reading goroutine gets the status of the stream.
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

// read reads the responses and the end of the stream.
func (s *Sender) read() {
	defer s.cancel()
	for {
		answer, err := s.stream.Recv()
		if err != nil {
			s.onEnd(err)
			return
		}
		s.keepAlive.used()
		refusals, ok := s.onAnswer(answer)
		if !ok {
			return
		}
		if s.options.OnRefused != nil && len(refusals) > 0 {
			s.tasks.callback(func() {
				for _, refusal := range refusals {
					s.options.OnRefused(refusal)
				}
			})
		}
		s.mu.Lock()
		s.reported = s.window.Decided()
		s.change()
		s.mu.Unlock()
	}
}

// onAnswer returns the rejected messages of a response, or false if the response violates the contract.
func (s *Sender) onAnswer(answer *pb.MulticastStreamResponse) ([]Refusal, bool) {
	var refusals []Refusal
	for _, refusal := range answer.GetRefusals() {
		refusals = append(refusals, toRefusal(refusal))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.window.Decided()
	if violation := s.window.Response(answer.GetDecided()); violation != nil {
		s.fail(fromFailure(violation))
		return nil, false
	}
	for count := int(s.window.Decided() - before); count > 0; {
		frame := s.frames[0]
		decided := min(count, len(frame.ends)-frame.decided)
		frame.decided += decided
		count -= decided
		if frame.decided == len(frame.ends) {
			s.frames[0] = nil
			s.frames = s.frames[1:]
			s.toWrite--
		}
	}
	s.accepted = answer.GetAccepted()
	if s.options.OnRefused == nil {
		s.refused += len(refusals)
		s.refusals = append(s.refusals, refusals[:min(len(refusals), rules.MaxKeptRefusals-len(s.refusals))]...)
	}
	s.change()
	return refusals, true
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
		failure.Outcome = Outcome(s.window.Outcome(toFailure(failure)))
		s.fail(failure)
		return
	}
	if tooEarly := s.window.Closed(); tooEarly != nil {
		s.fail(fromFailure(tooEarly))
		return
	}
	close(s.ended)
	s.change()
}

// fail ends the sender. The caller holds the lock and has checked that the sender has not ended.
func (s *Sender) fail(err *SpreadError) {
	if s.failure != nil {
		return
	}
	s.failure = err
	close(s.ended)
	s.change()
}
