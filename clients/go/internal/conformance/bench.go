package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	spread "github.com/spread-sidecar/spread-sidecar/clients/go"
)

const (
	// maxMessages and maxBytes are the limits of messages in flight to the receiver.
	maxMessages = 20_000
	maxBytes    = 16 << 20
	// warmUp is the time at the start that is not measured.
	warmUp = 500 * time.Millisecond
	// receiveAtOnce is the maximum number of events of one receive.
	receiveAtOnce = 1000
)

// peer is a mailbox in its own group, which uses the client or only the stubs.
type peer interface {
	// send sends a message to the peer's own group.
	send(payload []byte) error
	// flush writes the messages that were not written yet.
	flush() error
	// multicast sends one message and waits for its response.
	multicast(payload []byte) error
	// receive waits for at least one message and returns the number of messages.
	receive() (int, error)
	close() error
}

func newPeer(a *args) (peer, error) {
	group := fmt.Sprintf("bench-%d-%x", os.Getpid(), rand.Uint32())
	if a.Raw {
		return newRawPeer(a.Target, group)
	}
	return newClientPeer(a.Target, group)
}

type clientPeer struct {
	ctx     context.Context
	mailbox *spread.Mailbox
	sender  *spread.Sender
	group   string
}

func newClientPeer(target, group string) (*clientPeer, error) {
	ctx := context.Background()
	mailbox, err := spread.Connect(ctx, spread.Options{Target: target}, spread.MailboxOptions{NoMembership: true})
	if err != nil {
		return nil, err
	}
	if err := mailbox.Join(ctx, group); err != nil {
		return nil, err
	}
	options := spread.SenderOptions{MaxInFlightMessages: maxMessages, MaxInFlightBytes: maxBytes}
	sender, err := mailbox.Sender(ctx, options)
	return &clientPeer{ctx, mailbox, sender, group}, err
}

func (p *clientPeer) send(payload []byte) error {
	return p.sender.Send(p.ctx, spread.FifoMess, p.group, payload, 0)
}

func (p *clientPeer) flush() error { return nil }

func (p *clientPeer) multicast(payload []byte) error {
	_, err := p.mailbox.Multicast(p.ctx, spread.FifoMess, p.group, payload, 0)
	return err
}

func (p *clientPeer) receive() (int, error) {
	events, err := p.mailbox.ReceiveMany(p.ctx, receiveAtOnce)
	return len(events), err
}

func (p *clientPeer) close() error {
	if _, err := p.sender.Close(p.ctx); err != nil {
		return err
	}
	return p.mailbox.Close()
}

// window limits the messages in flight, and wakes the sender when half of the limit is free.
type window struct {
	mu             sync.Mutex
	free           *sync.Cond
	size           int64
	sent, received int64
	stopped        bool
}

// take waits for space. 0 at the end.
func (w *window) take() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.stopped && w.sent-w.received > w.size/2 {
		w.free.Wait()
	}
	if w.stopped {
		return 0
	}
	room := w.size - (w.sent - w.received)
	w.sent += room
	return room
}

func (w *window) give(count int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.received += int64(count)
	if w.sent-w.received <= w.size/2 {
		w.free.Signal()
	}
}

func (w *window) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.free.Signal()
}

// benchThroughput measures the messages per second of one process that sends to itself.
func benchThroughput(a *args) (plain, error) {
	p, err := newPeer(a)
	if err != nil {
		return nil, err
	}
	payload := bytes.Repeat([]byte("x"), a.PayloadBytes)
	w := &window{size: int64(max(1, min(maxMessages, maxBytes/max(a.PayloadBytes, 1))))}
	w.free = sync.NewCond(&w.mu)
	var sent atomic.Int64
	sending := make(chan error, 1)
	go func() {
		for {
			room := w.take()
			if room == 0 {
				sending <- nil
				return
			}
			for range room {
				if err := p.send(payload); err != nil {
					sending <- err
					return
				}
			}
			sent.Add(room)
			if err := p.flush(); err != nil {
				sending <- err
				return
			}
		}
	}()
	begun := time.Now()
	var received, countedFrom int64
	var since time.Time
	for {
		count, err := p.receive()
		if err != nil {
			return nil, err
		}
		received += int64(count)
		w.give(count)
		now := time.Now()
		if since.IsZero() {
			if now.Sub(begun) >= warmUp {
				since, countedFrom = now, received
			}
			continue
		}
		seconds := now.Sub(since).Seconds()
		if seconds < a.Seconds {
			continue
		}
		messages := received - countedFrom
		w.stop()
		if err := <-sending; err != nil {
			return nil, err
		}
		for received < sent.Load() {
			count, err := p.receive()
			if err != nil {
				return nil, err
			}
			received += int64(count)
		}
		return plain{"messages": messages, "seconds": seconds}, p.close()
	}
}

// benchRoundTrip measures the time from the multicast to the received message.
func benchRoundTrip(a *args) (plain, error) {
	p, err := newPeer(a)
	if err != nil {
		return nil, err
	}
	payload := bytes.Repeat([]byte("x"), a.PayloadBytes)
	count := once(a.Count)
	notCounted := (count + 9) / 10
	latencies := make([]float64, 0, count)
	answered := make(chan error, 1)
	for i := range notCounted + count {
		begun := time.Now()
		go func() { answered <- p.multicast(payload) }()
		if _, err := p.receive(); err != nil {
			return nil, err
		}
		if i >= notCounted {
			latencies = append(latencies, float64(time.Since(begun).Nanoseconds())/1000)
		}
		if err := <-answered; err != nil {
			return nil, err
		}
	}
	return plain{"latenciesUs": latencies}, p.close()
}
