package main

import (
	"context"
	"sync"

	"google.golang.org/grpc/stats"
)

// begun tells when a request has begun: the next one on the same mailbox or sender may begin then.
type begun struct {
	once sync.Once
	done chan struct{}
}

func newBegun() *begun { return &begun{done: make(chan struct{})} }

func (b *begun) tell() { b.once.Do(func() { close(b.done) }) }

type begunKey struct{}

// whenSent makes a context whose call tells when its bytes are on their way; for calls of gRPC.
func whenSent(ctx context.Context, b *begun) context.Context {
	return context.WithValue(ctx, begunKey{}, b)
}

// sending is told by gRPC what was written.
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

// whenWaiting is a context that tells when somebody waits for its end; for waits on this side.
type whenWaiting struct {
	context.Context
	begun *begun
}

func (w whenWaiting) Done() <-chan struct{} {
	w.begun.tell()
	return w.Context.Done()
}
