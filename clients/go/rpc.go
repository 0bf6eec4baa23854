package spreadsidecar

import (
	"context"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// rpc is the generated stub with a deadline for each call and SpreadError for failures.
type rpc struct {
	conn        *grpc.ClientConn
	stub        pb.MailboxServiceClient
	endpoint    *endpoint
	security    *security
	callTimeout time.Duration
	headers     []string
}

// outgoing adds the headers of a call to its context.
func (r *rpc) outgoing(ctx context.Context) (context.Context, error) {
	authorization, err := r.security.authorization(ctx)
	if err != nil {
		return nil, err
	}
	return r.withHeaders(ctx, authorization), nil
}

func (r *rpc) withHeaders(ctx context.Context, authorization string) context.Context {
	if len(r.headers) > 0 {
		ctx = metadata.AppendToOutgoingContext(ctx, r.headers...)
	}
	if authorization != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", authorization)
	}
	return ctx
}

// bounded adds a deadline to the context of a call if it has none (C2).
func (r *rpc) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has || r.callTimeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, r.callTimeout)
}

// call makes one unary call.
func call[Request, Response any](
	ctx context.Context,
	r *rpc,
	method func(context.Context, Request, ...grpc.CallOption) (Response, error),
	request Request,
) (Response, error) {
	var p peer.Peer
	response, err := begin(ctx, r, method, request, &p)
	if err != nil {
		return response, withContext(ctx, r.endpoint.explain(err, &p))
	}
	return response, nil
}

// sendCall makes one unary call that sends a message. Its error has an outcome.
func sendCall[Request, Response any](
	ctx context.Context,
	r *rpc,
	method func(context.Context, Request, ...grpc.CallOption) (Response, error),
	request Request,
) (Response, error) {
	if ctx.Err() != nil {
		err := contextErrorWhen(ctx, "before the message was sent")
		err.Outcome = OutcomeNotSent
		var none Response
		return none, err
	}
	var p peer.Peer
	response, err := begin(ctx, r, method, request, &p)
	if err != nil {
		return response, withContext(ctx, r.endpoint.explain(err, &p).forSend(err))
	}
	return response, nil
}

func begin[Request, Response any](
	ctx context.Context,
	r *rpc,
	method func(context.Context, Request, ...grpc.CallOption) (Response, error),
	request Request,
	p *peer.Peer,
) (Response, error) {
	bounded, cancel := r.bounded(ctx)
	defer cancel()
	outgoing, err := r.outgoing(bounded)
	if err != nil {
		var none Response
		return none, err
	}
	return method(outgoing, request, grpc.Peer(p))
}
