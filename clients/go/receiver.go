package spreadsidecar

import (
	"context"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	// silentIntervals is how many silent heartbeat intervals mean that the connection is dead.
	silentIntervals = 3
	// fruitlessAttempts is how many attempts to get the last events of an ended mailbox are made without getting any.
	fruitlessAttempts = 3
	// fetchTime is how long a sidecar that can't be reached is asked for the last events of an ended mailbox.
	fetchTime = 2 * time.Second
	// finishTime is how long the stream's own end is waited for after a disconnect.
	finishTime = time.Second
	// attachTime is the least that an attempt to attach may take, however little of the lease is left.
	attachTime = 100 * time.Millisecond
)

// livesOn tells whether receiving has ended with this error, and the mailbox has not: attaching again would take it
// from its new receiver, or be in vain.
func livesOn(err *SpreadError) bool {
	return err.Reason == ErrReceiverReplaced || err.Reason == ErrSequenceNotRetained
}

// receiveSettings say how to receive.
type receiveSettings struct {
	mailboxID            string
	afterSequence        uint64
	maxOutstandingEvents uint64
	maxOutstandingBytes  uint64
	// heartbeat is 0 for none.
	heartbeat time.Duration
	// giveUpAfter: tries to attach again go on this long after a break; the mailbox is gone then.
	giveUpAfter time.Duration
}

// receiver fills an inbox from Receive streams: attaches, reads nothing more while the inbox is full, and attaches again
// behind the last event when a stream breaks, so that the inbox gets every event once and in order.
type receiver struct {
	rpc      *rpc
	inbox    *inbox
	settings receiveSettings
	tasks    *tasks
	// notify is told what happens, in order.
	notify func(Notice)

	ctx    context.Context
	cancel context.CancelFunc
	begun  sync.Once
	// attached: a stream to the sidecar stands, and keeps the mailbox's lease.
	attached atomic.Bool
	// started and settled are for finish: whether a goroutine receives, and that it has paused or ended.
	started atomic.Bool
	paused  atomic.Bool
	settled chan struct{}
	failure atomic.Pointer[SpreadError]

	// What follows belongs to the receiving goroutine.
	last        uint64
	brokenSince time.Time
	backoff     *backoff
	endSeen     *endSeen
	gap         *SpreadError
}

// endSeen is the mailbox's end, while its last events are still being fetched.
type endSeen struct {
	err       *SpreadError
	last      uint64
	asked     bool
	fetchedTo uint64
	fruitless int
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
		last:     settings.afterSequence,
		backoff:  newBackoff(),
	}
}

// start begins to receive; later calls change nothing.
func (r *receiver) start() {
	if r.started.Load() || r.ctx.Err() != nil {
		return
	}
	r.begun.Do(func() {
		r.started.Store(true)
		r.tasks.begin(r.run)
	})
}

// finish is for a mailbox that was disconnected: takes the last events if the stream ends within a second, and not if the
// inbox is full, and closes.
func (r *receiver) finish() {
	if r.started.Load() && !r.inbox.hasEnded() {
		select {
		case <-r.settled:
		default:
		}
		if !r.paused.Load() && !r.inbox.hasEnded() {
			timer := time.NewTimer(finishTime)
			select {
			case <-r.settled:
			case <-timer.C:
			}
			timer.Stop()
		}
	}
	r.close()
}

// close ends receiving, without an error. What is in the inbox can still be taken.
func (r *receiver) close() {
	r.cancel()
	r.begun.Do(func() { r.tasks.begin(r.end) })
}

// fail ends receiving with an error that is found elsewhere.
func (r *receiver) fail(err *SpreadError) {
	r.failure.CompareAndSwap(nil, err)
	r.close()
}

// end is for a receiver that was told to end.
func (r *receiver) end() { r.endWith(r.failure.Load()) }

// endWith tells the end. Whoever learns of it by receiving finds the notice told.
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
	r.brokenSince = time.Now()
	for {
		wasAttached, err := r.receive()
		r.attached.Store(false)
		if r.ctx.Err() != nil {
			r.end()
			return
		}
		if err == nil || r.gap != nil {
			r.endWith(r.gap)
			return
		}
		if wasAttached {
			r.brokenSince = time.Now()
		}
		broken := r.rpc.mayPass(err)
		if end := r.judge(err, broken); end != nil {
			r.endWith(end)
			return
		}
		if broken && wasAttached {
			r.notify(Detached{Err: err})
		}
		// The last events of an ended mailbox wait there; each further stream would overfill the inbox.
		if pause(r.ctx, r.backoff.next()) && r.endSeen != nil {
			r.untilRoom()
		}
	}
}

// receive attaches once and reads until the stream ends; nil when it ended as asked.
func (r *receiver) receive() (wasAttached bool, failure *SpreadError) {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	var silent atomic.Bool
	watchdog := time.AfterFunc(r.attachLimit(), func() {
		silent.Store(true)
		cancel()
	})
	defer watchdog.Stop()
	outgoing, err := r.rpc.outgoing(ctx)
	if err != nil {
		return false, r.explain(err, &peer.Peer{}, silent.Load())
	}
	request := &pb.ReceiveRequest{
		MailboxId:            r.settings.mailboxID,
		AfterSequence:        &r.last,
		MaxOutstandingEvents: r.settings.maxOutstandingEvents,
		MaxOutstandingBytes:  r.settings.maxOutstandingBytes,
	}
	if r.settings.heartbeat > 0 {
		request.HeartbeatInterval = durationpb.New(r.settings.heartbeat)
	}
	// Waiting for the channel leaves the pauses between attempts to connect to it, for all mailboxes together.
	var p peer.Peer
	stream, err := r.rpc.stub.Receive(outgoing, request, grpc.ForceCodecV2(codec), grpc.WaitForReady(true), grpc.Peer(&p))
	if err != nil {
		return false, r.explain(err, &p, silent.Load())
	}
	frame := &receivedFrame{}
	var events []Event
	for {
		err := stream.RecvMsg(frame)
		if err == io.EOF {
			return wasAttached, nil
		}
		if err != nil && wasAttached && silent.Load() {
			message := fmt.Sprintf("the stream was silent for %v", silentIntervals*r.settings.heartbeat)
			return true, &SpreadError{Message: message, Status: codes.Unavailable, Retryable: true, Cause: err}
		}
		if err != nil {
			return wasAttached, r.explain(err, &p, silent.Load())
		}
		if attached := frame.other.GetAttached(); attached != nil {
			wasAttached = r.onAttached(attached)
		}
		if r.settings.heartbeat > 0 {
			watchdog.Reset(silentIntervals * r.settings.heartbeat)
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
				if r.settings.heartbeat > 0 {
					watchdog.Reset(silentIntervals * r.settings.heartbeat)
				}
			}
		case frame.other.GetHeartbeat() != nil:
			if last := frame.other.GetHeartbeat().GetLastSequence(); last > r.last {
				r.onGap(last)
			}
		case frame.other.GetSlowConsumer() != nil:
			r.notify(toSlowConsumer(frame.other.GetSlowConsumer()))
		}
		if r.gap != nil {
			return wasAttached, r.gap
		}
	}
}

// explain gives the error of a stream. One that was cancelled for its silence has not been cancelled by the application.
func (r *receiver) explain(err error, p *peer.Peer, silent bool) *SpreadError {
	failure := r.rpc.endpoint.explain(err, p)
	if !silent || failure.Status != codes.Canceled {
		return failure
	}
	if _, attempt, found := strings.Cut(failure.Message, lastAttempt); found {
		return r.rpc.endpoint.unreachable(attempt)
	}
	return &SpreadError{Message: "the sidecar did not answer", Status: codes.Unavailable, Retryable: true}
}

// attachLimit is how long the sidecar may be silent until the stream stands: as long as later, but not beyond the lease.
func (r *receiver) attachLimit() time.Duration {
	limit := r.settings.giveUpAfter - time.Since(r.brokenSince)
	if r.endSeen != nil {
		limit = fetchTime - time.Since(r.brokenSince)
	}
	if r.settings.heartbeat > 0 {
		limit = min(limit, silentIntervals*r.settings.heartbeat)
	}
	return max(limit, attachTime)
}

func (r *receiver) onAttached(info *pb.ReceiveAttached) bool {
	if info.GetNextSequence() != r.last+1 {
		r.onGap(info.GetNextSequence())
		return false
	}
	r.attached.Store(true)
	r.backoff.reset()
	r.notify(attachedTo{
		Attached:     Attached{NextSequence: info.GetNextSequence(), Groups: info.GetGroups()},
		privateGroup: info.GetPrivateGroup(),
	})
	return true
}

// attachedTo is what the mailbox itself is told; the application gets the Attached in it.
type attachedTo struct {
	Attached
	privateGroup string
}

// inOrder gives the events that are due. One that is not ends everything.
func (r *receiver) inOrder(events []Event, received []receivedEvent) []Event {
	for _, one := range received {
		if one.sequence <= r.last {
			continue
		}
		if one.sequence != r.last+1 {
			r.onGap(one.sequence)
			break
		}
		r.last = one.sequence
		if one.event != nil {
			events = append(events, one.event)
		}
	}
	return events
}

func (r *receiver) onGap(sequence uint64) {
	message := fmt.Sprintf("event %d is missing: the sidecar continued with %d", r.last+1, sequence)
	r.gap = &SpreadError{Message: message, Status: codes.DataLoss}
}

func (r *receiver) untilRoom() {
	r.paused.Store(true)
	r.settle()
	r.inbox.untilRoom(r.ctx)
	r.paused.Store(false)
}

// judge gives what the mailbox ends with after its stream ended; nil: attach again.
func (r *receiver) judge(err *SpreadError, broken bool) *SpreadError {
	if broken {
		return r.judgeBreak(err)
	}
	return r.judgeEnd(err)
}

func (r *receiver) judgeBreak(err *SpreadError) *SpreadError {
	silent := time.Since(r.brokenSince)
	if r.endSeen != nil && silent >= fetchTime {
		return withMissing(r.endSeen.err, r.last)
	}
	if silent < r.settings.giveUpAfter {
		return nil
	}
	if err.Status == codes.Unauthenticated {
		return err
	}
	// Whatever the last attempt ended with: a stream that was cancelled for its silence has not been cancelled by the user.
	message := fmt.Sprintf("the sidecar was not reached for %v, the mailbox's lease: %s", r.settings.giveUpAfter, err.Message)
	return &SpreadError{
		Message:  message,
		Status:   codes.Unavailable,
		Reason:   ErrSidecarUnreachable,
		Domain:   SidecarDomain,
		Metadata: map[string]string{"target": r.rpc.endpoint.name},
		Cause:    err,
	}
}

// judgeEnd is for a stream that the sidecar ended. The end says which event is the last: as long as some are missing and
// come, they are fetched by attaching again, and the end is told after them.
func (r *receiver) judgeEnd(err *SpreadError) *SpreadError {
	if livesOn(err) {
		return err
	}
	if r.endSeen == nil {
		r.endSeen = &endSeen{err: err, last: lastSequenceOf(err)}
	}
	end := r.endSeen
	if end.last <= r.last {
		return end.err
	}
	if end.asked && end.fetchedTo == r.last {
		end.fruitless++
	} else {
		end.fruitless = 0
	}
	end.asked, end.fetchedTo = true, r.last
	// An answer without a last event, such as NOT_FOUND, says that there is nothing to fetch any more.
	if lastSequenceOf(err) <= r.last || end.fruitless >= fruitlessAttempts {
		return withMissing(end.err, r.last)
	}
	return nil
}

func lastSequenceOf(err *SpreadError) uint64 {
	last, parseError := strconv.ParseUint(err.Metadata["last_sequence"], 10, 64)
	if parseError != nil {
		return 0
	}
	return last
}

func withMissing(err *SpreadError, received uint64) *SpreadError {
	result := *err
	result.Message = fmt.Sprintf("%s; the events %d to %s were lost with it", err.Message, received+1, err.Metadata["last_sequence"])
	result.Metadata = maps.Clone(err.Metadata)
	if result.Metadata == nil {
		result.Metadata = map[string]string{}
	}
	result.Metadata["received_sequence"] = strconv.FormatUint(received, 10)
	return &result
}
