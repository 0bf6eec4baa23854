package main

import (
	"context"
	"sync"

	"google.golang.org/grpc/stats"
)

// begun reports when a request has started. The next request on the same mailbox or sender may start then.
type begun struct {
	once sync.Once
	done chan struct{}
}

func newBegun() *begun { return &begun{done: make(chan struct{})} }

func (b *begun) tell() { b.once.Do(func() { close(b.done) }) }

type begunKey struct{}

// whenSent returns a context that reports when gRPC has sent the bytes of a call.
func whenSent(ctx context.Context, b *begun) context.Context {
	return context.WithValue(ctx, begunKey{}, b)
}

// sending gets the statistics of gRPC about written messages.
type sending struct{}

func (sending) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (sending) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if _, ok := event.(*stats.OutPayload); !ok {
		return
	}
	if b, ok := ctx.Value(begunKey{}).(*begun); ok {
		b.tell()
	}
}

func (sending) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (sending) HandleConn(context.Context, stats.ConnStats) {}

// whenWaiting is a context that reports when a goroutine waits for its end, for waits in the client.
type whenWaiting struct {
	context.Context
	begun *begun
}

func (w whenWaiting) Done() <-chan struct{} {
	w.begun.tell()
	return w.Context.Done()
}
