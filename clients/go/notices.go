package spreadsidecar

import (
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
)

// Notice is a notification of a mailbox that is not an event: [Attached], [Detached], [SlowConsumer] or
// [Ended].
type Notice interface{ isNotice() }

// Attached means that a stream is attached. It is the first stream, or a stream that resumes after a broken
// stream.
type Attached struct {
	// NextSequence is the sequence of the next event.
	NextSequence uint64
	// Groups has the groups of the mailbox.
	Groups []string
}

// Detached means that a stream broke. The client attaches again.
type Detached struct{ Err *SpreadError }

// SlowConsumer means that events arrive in the sidecar's queue faster than the application receives them.
// This notice is a warning before a limit ends the mailbox.
type SlowConsumer struct {
	QueuedEvents uint64
	QueuedBytes  uint64
	// MarkEvents and MarkBytes are the thresholds of the queue. The queue exceeds at least one of them.
	MarkEvents uint64
	MarkBytes  uint64
	// TimeLeft is the time until the sidecar ends the mailbox, unless the queue falls to the threshold
	// earlier. Nil without a soft limit.
	TimeLeft *time.Duration
	// Time is the time when the sidecar sent the notice, by the sidecar's clock. Earlier events can delay the
	// notice.
	Time time.Time
}

// Ended means that the mailbox receives nothing more. Err is nil after Disconnect or Detach.
type Ended struct{ Err *SpreadError }

func (Attached) isNotice()     {}
func (Detached) isNotice()     {}
func (SlowConsumer) isNotice() {}
func (Ended) isNotice()        {}

func toSlowConsumer(notice *pb.SlowConsumerNotice) SlowConsumer {
	result := SlowConsumer{
		QueuedEvents: notice.GetQueuedEvents(),
		QueuedBytes:  notice.GetQueuedBytes(),
		MarkEvents:   notice.GetMarkEvents(),
		MarkBytes:    notice.GetMarkBytes(),
		Time:         toTime(notice.GetTime()),
	}
	if left := notice.GetTimeLeft(); left != nil {
		value := left.AsDuration()
		result.TimeLeft = &value
	}
	return result
}
