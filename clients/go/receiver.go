package spreadsidecar

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/rules"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/durationpb"
)

// receiveSettings are the options of a receiver.
type receiveSettings struct {
	mailboxID            string
	afterSequence        uint64
	maxOutstandingEvents uint64
	maxOutstandingBytes  uint64
	// heartbeat is 0 for no heartbeats.
	heartbeat time.Duration
	// giveUpAfter is the time after a break during which the receiver tries to attach again. Afterwards the
	// mailbox has expired.
	giveUpAfter time.Duration
}

// receiver fills an inbox from Receive streams. It pauses while the inbox is full. When a stream breaks, it
// attaches again after the last event, so that the inbox gets every event once and in order.
type receiver struct {
	rpc      *rpc
	inbox    *inbox
	settings receiveSettings
	tasks    *tasks
	// notify gets the notices in order.
	notify func(Notice)

	ctx    context.Context
	cancel context.CancelFunc
	begun  sync.Once
	// attached: a stream to the sidecar is attached and keeps the mailbox's lease.
	attached atomic.Bool
	// started and settled are for finish: whether the receiving goroutine runs, and whether it has paused or
	// ended.
	started atomic.Bool
	paused  atomic.Bool
	settled chan struct{}
	failure atomic.Pointer[SpreadError]

	// Only the receiving goroutine uses the following fields.
	rules *rules.Receiving
	// gap is the error of a missing event.
	gap *SpreadError
}

func newReceiver(r *rpc, inbox *inbox, settings receiveSettings, tasks *tasks, notify func(Notice)) *receiver {
	ctx, cancel := context.WithCancel(context.Background())
	return &receiver{
		rpc:      r,
		inbox:    inbox,
		settings: settings,
		tasks:    tasks,
		notify:   notify,
		ctx:      ctx,
		cancel:   cancel,
		settled:  make(chan struct{}, 1),
	}
}

// start starts to receive. Later calls have no effect.
func (r *receiver) start() {
	if r.started.Load() || r.ctx.Err() != nil {
		return
	}
	r.begun.Do(func() {
		r.started.Store(true)
		r.tasks.begin(r.run)
	})
}

// finish closes the receiver after a disconnect. It waits for the last events of the stream, but not while the
// inbox is full (C5).
func (r *receiver) finish() {
	if r.started.Load() && !r.inbox.hasEnded() {
		select {
		case <-r.settled:
		default:
		}
		if !r.paused.Load() && !r.inbox.hasEnded() {
			timer := time.NewTimer(rules.FinishTime)
			select {
			case <-r.settled:
			case <-timer.C:
			}
			timer.Stop()
		}
	}
	r.close()
}

// close stops receiving without an error. Events in the inbox remain available.
func (r *receiver) close() {
	r.cancel()
	r.begun.Do(func() { r.tasks.begin(r.end) })
}

// fail stops receiving with an error from another part of the client.
func (r *receiver) fail(err *SpreadError) {
	r.failure.CompareAndSwap(nil, err)
	r.close()
}

// end is the end at the request of another goroutine.
func (r *receiver) end() { r.endWith(r.failure.Load()) }

// endWith ends the inbox. The notice comes first, so that it precedes the error of a receive call.
func (r *receiver) endWith(err *SpreadError) {
	r.notify(Ended{Err: err})
	r.inbox.end(err)
	r.settle()
}

func (r *receiver) settle() {
	select {
	case r.settled <- struct{}{}:
	default:
	}
}

func (r *receiver) run() {
	r.rules = rules.NewReceiving(rules.ReceivingOptions{
		AfterSequence:  r.settings.afterSequence,
		Lease:          r.settings.giveUpAfter,
		Heartbeat:      max(r.settings.heartbeat, 0),
		TokenMayChange: r.rpc.security.tokenMayChange,
	}, now(), rand.Float64)
	for {
		err := r.receive()
		r.attached.Store(false)
		if r.ctx.Err() != nil {
			r.end()
			return
		}
		if r.gap != nil {
			r.endWith(r.gap)
			return
		}
		next := r.rules.Closed()
		if err != nil {
			next = r.rules.Failed(*toFailure(err), now())
		}
		if !next.AttachAgain {
			r.endWith(r.endOf(next.End, err))
			return
		}
		if next.Detached {
			r.notify(Detached{Err: err})
		}
		if pause(r.ctx, next.Pause) && r.rules.Fetching() {
			r.untilRoom() // R13
		}
	}
}

// endOf returns the error that ends receiving. last is the error of the last stream.
func (r *receiver) endOf(end *rules.Failure, last *SpreadError) *SpreadError {
	if end == nil || end.Err != nil {
		return fromFailure(end)
	}
	// The give-up time has passed. The cause is the error of the last attempt. It must not be the CANCELLED of a
	// stream that this client cancelled.
	result := fromFailure(end)
	result.Domain = SidecarDomain
	result.Metadata = map[string]string{"target": r.rpc.endpoint.name}
	result.Cause = last
	return result
}

// receive attaches once and reads until the stream ends. It returns nil if the sidecar ended the stream without an
// error, or if an event is missing.
func (r *receiver) receive() *SpreadError {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	var silent atomic.Bool
	watchdog := time.AfterFunc(r.rules.AttachLimit(now()), func() {
		silent.Store(true)
		cancel()
	})
	defer watchdog.Stop()
	outgoing, err := r.rpc.outgoing(ctx)
	if err != nil {
		return r.explain(err, &peer.Peer{}, silent.Load())
	}
	after := r.rules.Last()
	request := &pb.ReceiveRequest{
		MailboxId:            r.settings.mailboxID,
		AfterSequence:        &after,
		MaxOutstandingEvents: r.settings.maxOutstandingEvents,
		MaxOutstandingBytes:  r.settings.maxOutstandingBytes,
	}
	if r.settings.heartbeat > 0 {
		request.HeartbeatInterval = durationpb.New(r.settings.heartbeat)
	}
	// Waiting for the channel leaves the backoff between connection attempts to the channel, for all mailboxes
	// together.
	var p peer.Peer
	stream, err := r.rpc.stub.Receive(outgoing, request, grpc.ForceCodecV2(codec), grpc.WaitForReady(true), grpc.Peer(&p))
	if err != nil {
		return r.explain(err, &p, silent.Load())
	}
	silence := r.rules.SilenceLimit()
	frame := &receivedFrame{}
	var events []Event
	for {
		err := stream.RecvMsg(frame)
		if err == io.EOF {
			return nil
		}
		if err != nil && r.attached.Load() && silent.Load() {
			message := fmt.Sprintf("the sidecar sent no frame for %v", silence)
			return &SpreadError{Message: message, Status: codes.Unavailable, Retryable: true, Cause: err}
		}
		if err != nil {
			return r.explain(err, &p, silent.Load())
		}
		if attached := frame.other.GetAttached(); attached != nil {
			r.onAttached(attached)
		}
		if silence > 0 {
			watchdog.Reset(silence)
		} else {
			watchdog.Stop()
		}
		switch {
		case frame.isBatch:
			events = r.inOrder(events[:0], frame.events)
			r.inbox.push(events)
			clear(frame.events)
			clear(events)
			if r.gap == nil && r.inbox.full() {
				watchdog.Stop()
				r.untilRoom()
				if silence > 0 {
					watchdog.Reset(silence)
				}
			}
		case frame.other.GetHeartbeat() != nil:
			r.onGap(r.rules.Heartbeat(frame.other.GetHeartbeat().GetLastSequence()))
		case frame.other.GetSlowConsumer() != nil:
			r.notify(toSlowConsumer(frame.other.GetSlowConsumer()))
		}
		if r.gap != nil {
			return nil
		}
	}
}

// explain returns the error of a stream. A stream that this client cancelled because of missing heartbeats
// does not count as cancelled by the application.
func (r *receiver) explain(err error, p *peer.Peer, silent bool) *SpreadError {
	failure := r.rpc.endpoint.explain(err, p)
	if !silent || failure.Status != codes.Canceled {
		return failure
	}
	if _, attempt, found := strings.Cut(failure.Message, lastAttempt); found {
		return r.rpc.endpoint.unreachable(attempt)
	}
	return &SpreadError{Message: "the sidecar did not respond", Status: codes.Unavailable, Retryable: true}
}

func (r *receiver) onAttached(info *pb.ReceiveAttached) {
	if gap := r.rules.Attached(info.GetNextSequence()); gap != nil {
		r.onGap(gap)
		return
	}
	r.attached.Store(true)
	r.notify(attachedTo{
		Attached:     Attached{NextSequence: info.GetNextSequence(), Groups: info.GetGroups()},
		privateGroup: info.GetPrivateGroup(),
	})
}

// attachedTo is the information for the mailbox. The application gets its Attached.
type attachedTo struct {
	Attached
	privateGroup string
}

// inOrder returns the events with the expected sequences. A missing event ends the receiver.
func (r *receiver) inOrder(events []Event, received []receivedEvent) []Event {
	for _, one := range received {
		isNext, gap := r.rules.Event(one.sequence)
		if gap != nil {
			r.onGap(gap)
			break
		}
		if isNext && one.event != nil {
			events = append(events, one.event)
		}
	}
	return events
}

func (r *receiver) onGap(gap *rules.Failure) {
	if gap != nil {
		r.gap = fromFailure(gap)
	}
}

func (r *receiver) untilRoom() {
	r.paused.Store(true)
	r.settle()
	r.inbox.untilRoom(r.ctx)
	r.paused.Store(false)
}
