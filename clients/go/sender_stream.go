package spreadsidecar

import (
	"errors"
	"io"
	"maps"
	"strconv"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
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

// lastFrame is the frame for the next message.
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

// next returns the frame to write. It returns nil and false if there is none now, and nil and true if none
// will follow.
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
		refusals := s.onAnswer(answer)
		if s.options.OnRefused != nil && len(refusals) > 0 {
			s.tasks.callback(func() {
				for _, refusal := range refusals {
					s.options.OnRefused(refusal)
				}
			})
		}
		s.mu.Lock()
		s.reported = s.progress.Decided
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
		s.refusals = append(s.refusals, refusals[:min(len(refusals), maxKeptRefusals-len(s.refusals))]...)
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
		// The sidecar may report that it passed none of the undecided messages to the daemon.
		failure.Outcome = s.outcome()
		if failure.Metadata["outcome"] == string(OutcomeNotSent) {
			failure.Outcome = OutcomeNotSent
		}
		s.fail(failure)
		return
	}
	if !s.closing || s.progress.Decided < s.progress.Sent {
		message := "the sidecar ended the stream before it accepted or rejected all messages"
		s.fail(&SpreadError{Message: message, Status: codes.Unavailable, Outcome: OutcomeUnknown})
		return
	}
	close(s.ended)
	s.change()
}

// outcome returns whether any message is undecided if the stream ends now.
func (s *Sender) outcome() Outcome {
	if s.progress.Decided == s.progress.Sent {
		return OutcomeNotSent
	}
	return OutcomeUnknown
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
