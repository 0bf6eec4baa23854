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
	// silentIntervals: a connection without any frame for this number of heartbeat intervals counts as broken.
	silentIntervals = 3
	// maxEmptyAttempts is the maximum number of consecutive attempts that get no further event of an ended
	// mailbox.
	maxEmptyAttempts = 3
	// fetchTime is the timeout for an unreachable sidecar when the last events of an ended mailbox are fetched.
	fetchTime = 2 * time.Second
	// finishTime is the maximum time to wait for the end of the stream after a disconnect.
	finishTime = time.Second
	// attachTime is the minimum timeout of an attempt to attach, even if less of the lease is left.
	attachTime = 100 * time.Millisecond
)

// isMailboxAlive reports whether the mailbox still exists after this error ended the stream. Attaching again would
// replace the new receiver, or fail again.
func isMailboxAlive(err *SpreadError) bool {
	return err.Reason == ErrReceiverReplaced || err.Reason == ErrSequenceNotRetained
}

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
	last        uint64
	brokenSince time.Time
	backoff     *backoff
	mailboxEnd  *mailboxEnd
	gap         *SpreadError
}

// mailboxEnd is the end of the mailbox, while its last events are still being fetched.
type mailboxEnd struct {
	err           *SpreadError
	last          uint64
	asked         bool
	fetchedTo     uint64
	emptyAttempts int
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

// finish closes the receiver after a disconnect. It waits up to 1 s for the last events of the stream, but
// not while the inbox is full.
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
		if end := r.errorAfter(err, broken); end != nil {
			r.endWith(end)
			return
		}
		if broken && wasAttached {
			r.notify(Detached{Err: err})
		}
		// The last events of an ended mailbox wait until the inbox has space. Each further stream would overfill
		// it.
		if pause(r.ctx, r.backoff.next()) && r.mailboxEnd != nil {
			r.untilRoom()
		}
	}
}

// receive attaches once and reads until the stream ends. It returns nil if the end was requested.
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
	// Waiting for the channel leaves the backoff between connection attempts to the channel, for all mailboxes
	// together.
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
			message := fmt.Sprintf("the sidecar sent no frame for %v", silentIntervals*r.settings.heartbeat)
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

// attachLimit is the maximum time without a frame until the stream is attached: as for an attached stream,
// but within the lease.
func (r *receiver) attachLimit() time.Duration {
	limit := r.settings.giveUpAfter - time.Since(r.brokenSince)
	if r.mailboxEnd != nil {
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

// attachedTo is the information for the mailbox. The application gets its Attached.
type attachedTo struct {
	Attached
	privateGroup string
}

// inOrder returns the events with the expected sequences. Any other sequence ends the receiver.
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
	message := fmt.Sprintf("event %d is missing: the sidecar is already at sequence %d", r.last+1, sequence)
	r.gap = &SpreadError{Message: message, Status: codes.DataLoss}
}

func (r *receiver) untilRoom() {
	r.paused.Store(true)
	r.settle()
	r.inbox.untilRoom(r.ctx)
	r.paused.Store(false)
}

// errorAfter returns the error that ends the mailbox after the end of its stream, or nil to attach again.
func (r *receiver) errorAfter(err *SpreadError, broken bool) *SpreadError {
	if broken {
		return r.judgeBreak(err)
	}
	return r.errorAfterEnd(err)
}

func (r *receiver) judgeBreak(err *SpreadError) *SpreadError {
	silent := time.Since(r.brokenSince)
	if r.mailboxEnd != nil && silent >= fetchTime {
		return withMissing(r.mailboxEnd.err, r.last)
	}
	if silent < r.settings.giveUpAfter {
		return nil
	}
	if err.Status == codes.Unauthenticated {
		return err
	}
	// The cause is the error of the last attempt. It must not be the CANCELLED of a stream that this client
	// cancelled.
	message := fmt.Sprintf("the sidecar could not be reached for %v (the lease of the mailbox): %s", r.settings.giveUpAfter, err.Message)
	return &SpreadError{
		Message:  message,
		Status:   codes.Unavailable,
		Reason:   ErrSidecarUnreachable,
		Domain:   SidecarDomain,
		Metadata: map[string]string{"target": r.rpc.endpoint.name},
		Cause:    err,
	}
}

// errorAfterEnd is for a stream that the sidecar ended. The error contains the last sequence. The receiver
// attaches again while events are missing and attempts return some, and reports the error after these events.
func (r *receiver) errorAfterEnd(err *SpreadError) *SpreadError {
	if isMailboxAlive(err) {
		return err
	}
	if r.mailboxEnd == nil {
		r.mailboxEnd = &mailboxEnd{err: err, last: lastSequenceOf(err)}
	}
	end := r.mailboxEnd
	if end.last <= r.last {
		return end.err
	}
	if end.asked && end.fetchedTo == r.last {
		end.emptyAttempts++
	} else {
		end.emptyAttempts = 0
	}
	end.asked, end.fetchedTo = true, r.last
	// An error without a last sequence, such as NOT_FOUND, means that no events can be fetched.
	if lastSequenceOf(err) <= r.last || end.emptyAttempts >= maxEmptyAttempts {
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
	result.Message = fmt.Sprintf("%s; events %d to %s are lost", err.Message, received+1, err.Metadata["last_sequence"])
	result.Metadata = maps.Clone(err.Metadata)
	if result.Metadata == nil {
		result.Metadata = map[string]string{}
	}
	result.Metadata["received_sequence"] = strconv.FormatUint(received, 10)
	return &result
}
