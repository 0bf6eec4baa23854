package spreadsidecar

import (
	"context"
	"sync"
)

// inbox has the received events that the application did not take yet. After the end, the remaining events
// are still available. Each later call gets the error that ended the mailbox.
type inbox struct {
	maxEvents, maxBytes int

	mu     sync.Mutex
	events []Event // from head on
	head   int
	bytes  int
	ended  bool
	err    *SpreadError
	// filled is closed by the next event or the end. Nil while no call waits.
	filled chan struct{}
	// emptied is closed when there is space again. Nil while the receiver does not wait.
	emptied chan struct{}
}

func newInbox(options ReceiveOptions) *inbox {
	box := &inbox{maxEvents: options.MaxBufferedEvents, maxBytes: options.MaxBufferedBytes}
	if box.maxEvents == 0 {
		box.maxEvents = 4096
	}
	if box.maxBytes == 0 {
		box.maxBytes = 4 << 20
	}
	return box
}

// push adds events; a batch is never split.
func (b *inbox) push(events []Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	// The cost per event is constant, because at least as many events were taken before.
	if b.head > 0 && b.head*2 >= len(b.events) {
		kept := copy(b.events, b.events[b.head:])
		clear(b.events[kept:])
		b.events = b.events[:kept]
		b.head = 0
	}
	b.events = append(b.events, events...)
	for _, event := range events {
		b.bytes += sizeOf(event)
	}
	b.wake()
}

// putBack returns a taken event to the front.
func (b *inbox) putBack(event Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.head > 0 {
		b.head--
		b.events[b.head] = event
	} else {
		b.events = append([]Event{event}, b.events...)
	}
	b.bytes += sizeOf(event)
	b.wake()
}

// failure is the error that ended the inbox. Nil before the end, and after an end that the application
// requested.
func (b *inbox) failure() *SpreadError {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// end ends the inbox, with an error or, at the application's request, without one. False if it had ended
// before.
func (b *inbox) end(err *SpreadError) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return false
	}
	b.ended, b.err = true, err
	b.wake()
	b.release()
	return true
}

func (b *inbox) wake() {
	if b.filled != nil {
		close(b.filled)
		b.filled = nil
	}
}

func (b *inbox) release() {
	if b.emptied != nil {
		close(b.emptied)
		b.emptied = nil
	}
}

func (b *inbox) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.events) - b.head
}

// full reports whether the receiver should pause.
func (b *inbox) full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.isFull()
}

func (b *inbox) isFull() bool { return len(b.events)-b.head >= b.maxEvents || b.bytes >= b.maxBytes }

// over reports whether the application requested the end and no event is left.
func (b *inbox) over() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended && b.err == nil && b.head == len(b.events)
}

// hasEnded reports whether no further event will arrive.
func (b *inbox) hasEnded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

// untilRoom waits until half of each limit is free, so that the receiver does not pause after each event.
func (b *inbox) untilRoom(ctx context.Context) {
	b.mu.Lock()
	if b.ended || !b.isFull() {
		b.mu.Unlock()
		return
	}
	if b.emptied == nil {
		b.emptied = make(chan struct{})
	}
	emptied := b.emptied
	b.mu.Unlock()
	select {
	case <-emptied:
	case <-ctx.Done():
	}
}

// shift returns the next event, or nil if none is available now.
func (b *inbox) shift() Event {
	if b.head == len(b.events) {
		return nil
	}
	event := b.events[b.head]
	b.events[b.head] = nil
	b.head++
	b.bytes -= sizeOf(event)
	if b.head == len(b.events) {
		b.events, b.head = b.events[:0], 0
	}
	if b.emptied != nil && len(b.events)-b.head <= b.maxEvents/2 && b.bytes <= b.maxBytes/2 {
		b.release()
	}
	return event
}

// take waits for the next event.
func (b *inbox) take(ctx context.Context) (Event, error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx, "waiting for an event")
	}
	for {
		b.mu.Lock()
		if event := b.shift(); event != nil {
			b.mu.Unlock()
			return event, nil
		}
		if b.ended {
			err := b.err
			b.mu.Unlock()
			if err == nil {
				err = localSpreadError(IllegalSession, "the mailbox is disconnected", nil)
			}
			return nil, err
		}
		if b.filled == nil {
			b.filled = make(chan struct{})
		}
		filled := b.filled
		b.mu.Unlock()
		select {
		case <-filled:
		case <-ctx.Done():
			return nil, contextError(ctx, "waiting for an event")
		}
	}
}

// takeMore appends the available events, up to the requested number.
func (b *inbox) takeMore(events []Event, most int) []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(events) < most {
		event := b.shift()
		if event == nil {
			break
		}
		events = append(events, event)
	}
	return events
}
