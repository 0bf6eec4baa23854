package rules

import (
	"fmt"
	"maps"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
)

const (
	// silentIntervals: a stream without any frame for this number of heartbeat intervals counts as broken (R7).
	silentIntervals = 3
	// minAttachLimit is the minimum time for an attempt to attach (R8).
	minAttachLimit = 100 * time.Millisecond
	// maxEmptyAttempts is the maximum number of attempts in succession that fetch no further event (R12).
	maxEmptyAttempts = 3
	// fetchTime is the time for which the sidecar may be unreachable while the client fetches events (R12).
	fetchTime = 2 * time.Second
)

// ReceivingOptions are the options of [Receiving].
type ReceivingOptions struct {
	AfterSequence uint64
	// Lease is also the give-up time (R10).
	Lease time.Duration
	// Heartbeat is the heartbeat interval. 0 for no heartbeats.
	Heartbeat time.Duration
	// TokenMayChange: the client reads the token again for each call.
	TokenMayChange bool
}

// Receiving decides which events the application gets, and what follows the end of a stream.
type Receiving struct {
	options ReceivingOptions
	backoff Backoff
	// last is the sequence of the last received event.
	last     uint64
	attached bool
	// brokenSince is the start of the give-up time (R10), or of the time for fetching (R12).
	brokenSince time.Duration
	fetching    *fetching
}

// fetching is the state after the end of the mailbox, while its last events are missing.
type fetching struct {
	end           Failure
	last          uint64
	asked         bool
	fetchedTo     uint64
	emptyAttempts int
}

// Next says what follows the end of a stream.
type Next struct {
	// AttachAgain means: attach again after Pause. Otherwise, receiving ends.
	AttachAgain bool
	Pause       time.Duration
	// Detached: the application gets this notice.
	Detached bool
	// End is the error that ends receiving, or nil.
	End *Failure
}

// NewReceiving returns the rules for a mailbox that starts to receive now.
func NewReceiving(options ReceivingOptions, now time.Duration, draw func() float64) *Receiving {
	return &Receiving{options: options, backoff: NewBackoff(draw), last: options.AfterSequence, brokenSince: now}
}

// Last returns the sequence of the last received event. A stream opens with this sequence (R1).
func (r *Receiving) Last() uint64 { return r.last }

// Fetching reports whether the mailbox has ended and the client fetches its last events. Before each attempt, the
// client then waits until the inbox has space (R13).
func (r *Receiving) Fetching() bool { return r.fetching != nil }

// SilenceLimit returns the time without a frame after which a stream counts as broken (R7). 0 for no limit.
func (r *Receiving) SilenceLimit() time.Duration { return silentIntervals * r.options.Heartbeat }

// AttachLimit returns the time without a frame after which an attempt to attach counts as broken (R8).
func (r *Receiving) AttachLimit(now time.Duration) time.Duration {
	limit := r.giveUpTime() - (now - r.brokenSince)
	if r.options.Heartbeat > 0 {
		limit = min(limit, r.SilenceLimit())
	}
	return max(limit, minAttachLimit)
}

// giveUpTime is the time for which the sidecar may be unreachable (R10, R12).
func (r *Receiving) giveUpTime() time.Duration {
	if r.fetching != nil {
		return fetchTime
	}
	return r.options.Lease
}

// Attached handles the frame attached. It returns the error that ends receiving, or nil (R2).
func (r *Receiving) Attached(nextSequence uint64) *Failure {
	if nextSequence != r.last+1 {
		return r.missing(nextSequence)
	}
	r.attached = true
	r.backoff.Reset() // B2
	return nil
}

// Event handles the sequence of an event. It reports whether the application gets the event (R3). The error ends
// receiving.
func (r *Receiving) Event(sequence uint64) (bool, *Failure) {
	switch {
	case sequence <= r.last:
		return false, nil
	case sequence != r.last+1:
		return false, r.missing(sequence)
	}
	r.last = sequence
	return true, nil
}

// Heartbeat handles a heartbeat. It returns the error that ends receiving, or nil (R4).
func (r *Receiving) Heartbeat(lastSequence uint64) *Failure {
	if lastSequence > r.last {
		return r.missing(lastSequence)
	}
	return nil
}

// missing returns the error of a missing event (R5).
func (r *Receiving) missing(sequence uint64) *Failure {
	message := fmt.Sprintf("event %d is missing: the sidecar is already at sequence %d", r.last+1, sequence)
	return &Failure{Message: message, Status: codes.DataLoss}
}

// Closed handles a stream that the sidecar ended without an error (R15).
func (r *Receiving) Closed() Next { return Next{} }

// Failed handles a stream that ended with an error.
func (r *Receiving) Failed(failure Failure, now time.Duration) Next {
	wasAttached := r.attached
	r.attached = false
	broken := failure.MayPass(r.options.TokenMayChange)
	if wasAttached || !broken {
		r.brokenSince = now
	}
	var end *Failure
	if broken {
		end = r.endAfterBreak(failure, now)
	} else {
		end = r.endAfterEnd(failure)
	}
	if end != nil {
		return Next{End: end}
	}
	return Next{AttachAgain: true, Pause: r.backoff.Next(), Detached: broken && wasAttached} // R9
}

// endAfterBreak returns the error that ends receiving after a failure that may pass, or nil (R10, R12).
func (r *Receiving) endAfterBreak(failure Failure, now time.Duration) *Failure {
	if r.fetching != nil && r.fetching.last <= r.last {
		return &r.fetching.end
	}
	if now-r.brokenSince < r.giveUpTime() {
		return nil
	}
	if r.fetching != nil {
		return r.lost()
	}
	if failure.Status == codes.Unauthenticated {
		return &failure
	}
	message := fmt.Sprintf("the sidecar could not be reached for %v (the lease of the mailbox): %s", r.options.Lease, failure.Message)
	return &Failure{Message: message, Status: codes.Unavailable, Reason: sidecarUnreachable}
}

// endAfterEnd returns the error that ends receiving after the sidecar ended the stream with an error, or nil to
// fetch missing events (F3, R11, R12).
func (r *Receiving) endAfterEnd(failure Failure) *Failure {
	if failure.EndsStreamOnly() {
		return &failure
	}
	if r.fetching == nil {
		r.fetching = &fetching{end: failure, last: lastSequenceOf(failure)}
	}
	f := r.fetching
	if f.last <= r.last {
		return &f.end
	}
	if f.asked && f.fetchedTo == r.last {
		f.emptyAttempts++
	} else {
		f.emptyAttempts = 0
	}
	f.asked, f.fetchedTo = true, r.last
	// An error without a last sequence, such as NOT_FOUND, means that no events can be fetched.
	if lastSequenceOf(failure) <= r.last || f.emptyAttempts >= maxEmptyAttempts {
		return r.lost()
	}
	return nil
}

// lost returns the first error, with the events that the client could not fetch (R12).
func (r *Receiving) lost() *Failure {
	end := r.fetching.end
	end.Message = fmt.Sprintf("%s; events %d to %s are lost", end.Message, r.last+1, end.Metadata["last_sequence"])
	end.Metadata = maps.Clone(end.Metadata)
	end.Metadata["received_sequence"] = strconv.FormatUint(r.last, 10)
	return &end
}

func lastSequenceOf(failure Failure) uint64 {
	last, err := strconv.ParseUint(failure.Metadata["last_sequence"], 10, 64)
	if err != nil {
		return 0
	}
	return last
}
