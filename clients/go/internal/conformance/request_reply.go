package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	spread "github.com/spread-sidecar/spread-sidecar/clients/go"
)

// openCalls is an object for requests and replies, with its services by group.
type openCalls struct {
	*spread.RequestReply
	services *named[*spread.RequestService]
}

func (t *things) openRequestReply(ctx context.Context, sidecar *spread.Sidecar, a *args) (plain, error) {
	options := spread.RequestReplyOptions{Mailbox: spread.MailboxOptions{PrivateName: a.PrivateName}}
	calls, err := sidecar.OpenRequestReply(ctx, options)
	if err != nil {
		return nil, err
	}
	t.calls.keep(a.Calls, &openCalls{calls, newNamed[*spread.RequestService]("service")})
	return plain{"privateGroup": calls.PrivateGroup()}, nil
}

var handlers = map[string]spread.RequestHandler{
	"echo": func(_ context.Context, request *spread.IncomingRequest) (spread.HandlerReply, error) {
		return spread.HandlerReply{Payload: request.Payload, Headers: map[string]string{"served": "yes"}}, nil
	},
	"fail": func(context.Context, *spread.IncomingRequest) (spread.HandlerReply, error) {
		return spread.HandlerReply{}, errors.New("it failed")
	},
	"never": func(ctx context.Context, _ *spread.IncomingRequest) (spread.HandlerReply, error) {
		<-ctx.Done()
		return spread.HandlerReply{}, ctx.Err()
	},
}

func (c *openCalls) carryOut(ctx context.Context, begun *begun, op string, a *args) (plain, error) {
	switch op {
	case "serve":
		return nil, c.serve(whenSent(ctx, begun), a)
	case "stopServing":
		service, err := c.services.of(a.Group)
		if err != nil {
			return nil, err
		}
		c.services.drop(a.Group)
		return nil, service.Stop(whenSent(ctx, begun))
	case "requestStatistics":
		statistics := c.Statistics()
		return plain{
			"open":             statistics.Open,
			"lateReplies":      statistics.LateReplies,
			"duplicateReplies": statistics.DuplicateReplies,
		}, nil
	case "closeRequestReply":
		return nil, c.Close(whenSent(ctx, begun))
	}
	options, err := a.requestOptions()
	if err != nil {
		return nil, err
	}
	replies, err := c.Request(whenWaiting{ctx, begun}, a.Target, a.Payload, options)
	if err != nil {
		return nil, err
	}
	return toReplies(replies), nil
}

func (c *openCalls) serve(ctx context.Context, a *args) error {
	handler := handlers[a.Behaviour]
	if handler == nil {
		return fmt.Errorf("unknown behaviour %s", a.Behaviour)
	}
	options := spread.ServeOptions{Concurrency: given(a.Concurrency), MaxQueued: given(a.MaxQueued)}
	service, err := c.Serve(ctx, a.Group, handler, options)
	if err == nil {
		c.services.keep(a.Group, service)
	}
	return err
}

// given converts a number whose default in the client is 0. A given 0 becomes negative.
func given(number *int) int {
	switch {
	case number == nil:
		return 0
	case *number == 0:
		return -1
	}
	return *number
}

func (a *args) requestOptions() (spread.RequestOptions, error) {
	options := spread.RequestOptions{Timeout: millis(a.TimeoutMs), Headers: a.Headers}
	if a.TimeoutMs != nil && *a.TimeoutMs == 0 {
		options.Timeout = -1
	}
	if string(a.Replies) == `"all"` {
		options.Replies = spread.AllReplies
		return options, nil
	}
	var number *int
	if len(a.Replies) > 0 {
		if err := json.Unmarshal(a.Replies, &number); err != nil {
			return options, err
		}
	}
	options.Replies = given(number)
	if options.Replies == spread.AllReplies {
		options.Replies-- // a number that is not valid
	}
	return options, nil
}

func toReplies(result *spread.Replies) plain {
	replies := []plain{}
	for _, reply := range result.Replies {
		message := any(nil)
		if reply.Err != nil {
			message = reply.Err.Error()
		}
		headers := reply.Headers
		if headers == nil {
			headers = map[string]string{}
		}
		replies = append(replies, plain{
			"sender":  reply.Sender,
			"payload": list(reply.Payload),
			"headers": headers,
			"error":   message,
		})
	}
	return plain{
		"replies":    replies,
		"left":       list(result.Left),
		"overloaded": list(result.Overloaded),
		"missing":    list(result.Missing),
		"timedOut":   result.TimedOut,
		"complete":   result.Complete,
	}
}
