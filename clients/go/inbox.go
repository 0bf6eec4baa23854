package spreadsidecar

import (
	"context"
	"sync"
)

// inbox has what was received and not yet taken by the application. After its end it still gives what is in it, and
// then the end to everybody who asks.
type inbox struct {
	maxEvents, maxBytes int

	mu     sync.Mutex
	events []Event // from head on
	head   int
	bytes  int
	ended  bool
	err    *SpreadError
	// filled is closed when something comes or the end; nil while nobody waits.
	filled chan struct{}
	// roomy is closed when there is room again; nil while nobody waits.
	roomy chan struct{}
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
	// Moving the rest down costs at most as much as was taken since the last time.
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

// putBack makes an event that was taken the next one again.
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

// failure is what receiving ended with; nil while it goes on, and when it ended as the application asked.
func (b *inbox) failure() *SpreadError {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// end ends it: with an error, or without one when the application asked for the end. False: it had ended before.
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
	if b.roomy != nil {
		close(b.roomy)
		b.roomy = nil
	}
}

func (b *inbox) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.events) - b.head
}

// full tells whether whoever fills it is to pause.
func (b *inbox) full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.isFull()
}

func (b *inbox) isFull() bool { return len(b.events)-b.head >= b.maxEvents || b.bytes >= b.maxBytes }

// over tells whether everything was taken and nothing will come any more, as the application asked for.
func (b *inbox) over() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended && b.err == nil && b.head == len(b.events)
}

// hasEnded tells whether nothing will come any more.
func (b *inbox) hasEnded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

// untilRoom waits until half of each bound is free, so that its filler does not stop and go at each event.
func (b *inbox) untilRoom(ctx context.Context) {
	b.mu.Lock()
	if b.ended || !b.isFull() {
		b.mu.Unlock()
		return
	}
	if b.roomy == nil {
		b.roomy = make(chan struct{})
	}
	roomy := b.roomy
	b.mu.Unlock()
	select {
	case <-roomy:
	case <-ctx.Done():
	}
}

// shift takes the next event; nil if there is none now.
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
	if b.roomy != nil && len(b.events)-b.head <= b.maxEvents/2 && b.bytes <= b.maxBytes/2 {
		b.release()
	}
	return event
}

// take gives the next event, waiting for it.
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

// takeMore appends what is there, up to the capacity that was asked for.
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
