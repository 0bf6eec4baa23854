package spreadsidecar

import (
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
)

// Notice is what a mailbox tells besides its events: one of [Attached], [Detached], [SlowConsumer] and [Ended].
type Notice interface{ isNotice() }

// Attached: a stream stands, the first or one that goes on behind the last event of a broken one.
type Attached struct {
	// NextSequence is the sequence of the next event.
	NextSequence uint64
	// Groups is the groups that the mailbox is in.
	Groups []string
}

// Detached: a stream broke; it is being made anew.
type Detached struct{ Err *SpreadError }

// SlowConsumer: the queue in the sidecar fills faster than it is emptied. It comes before that costs the mailbox.
type SlowConsumer struct {
	QueuedEvents uint64
	QueuedBytes  uint64
	// MarkEvents and MarkBytes are the mark that the queue is above, whichever it is.
	MarkEvents uint64
	MarkBytes  uint64
	// TimeLeft is how long after it was said the mailbox will be ended, unless the queue falls to the mark before. Nil:
	// no soft limit threatens.
	TimeLeft *time.Duration
	// Time is when it was said, by the sidecar's clock: it may have waited behind the events before it.
	Time time.Time
}

// Ended: nothing more will be received, because of Err, or without one after Disconnect or Detach.
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
