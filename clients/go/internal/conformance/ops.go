package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	spread "github.com/spread-sidecar/spread-sidecar/clients/go"
	"google.golang.org/grpc"
)

// named has things by the names of the requests.
type named[Thing any] struct {
	kind   string
	mu     sync.Mutex
	things map[string]Thing
}

func newNamed[Thing any](kind string) *named[Thing] {
	return &named[Thing]{kind: kind, things: map[string]Thing{}}
}

func (n *named[Thing]) of(name string) (Thing, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	thing, ok := n.things[name]
	if !ok {
		return thing, fmt.Errorf("no %s is called %s", n.kind, name)
	}
	return thing, nil
}

func (n *named[Thing]) keep(name string, thing Thing) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.things[name] = thing
}

func (n *named[Thing]) all() []Thing {
	n.mu.Lock()
	defer n.mu.Unlock()
	var things []Thing
	for _, thing := range n.things {
		things = append(things, thing)
	}
	return things
}

func (n *named[Thing]) drop(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.things, name)
}

type openMailbox struct {
	*spread.Mailbox
	notifications *notifications
}

// notifications has the notifications.
type notifications struct {
	mu       sync.Mutex
	notices  []plain
	refusals []plain
}

func (t *notifications) notice(notice spread.Notice) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notices = append(t.notices, toNotice(notice))
}

func (t *notifications) refusal(refusal spread.Refusal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refusals = append(t.refusals, plain{"index": refusal.Index, "error": toError(refusal.Err)})
}

type openSender struct {
	*spread.Sender
	notifications *notifications
}

type things struct {
	sidecars  *named[*spread.Sidecar]
	mailboxes *named[openMailbox]
	senders   *named[openSender]
	calls     *named[*openCalls]
}

func newThings() things {
	return things{
		newNamed[*spread.Sidecar]("sidecar"),
		newNamed[openMailbox]("mailbox"),
		newNamed[openSender]("sender"),
		newNamed[*openCalls]("object for requests and replies"),
	}
}

func (t *things) closeAll() {
	var all sync.WaitGroup
	for _, sidecar := range t.sidecars.all() {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := sidecar.Close(); err != nil {
				fmt.Fprintln(os.Stderr, "closing:", err)
			}
		}()
	}
	all.Wait()
}

// carryOut carries out a request.
func (t *things) carryOut(ctx context.Context, begun *begun, r request) (plain, error) {
	a := &r.Args
	switch r.Op {
	case "resources":
		return resources()
	case "benchThroughput":
		return benchThroughput(a)
	case "benchRoundTrip":
		return benchRoundTrip(a)
	case "waitForReady", "version", "list", "closeSidecar", "exitSidecar", "connect", "attach":
		sidecar, err := t.sidecars.of(a.Sidecar)
		if err != nil {
			return nil, err
		}
		return t.onSidecar(whenSent(ctx, begun), sidecar, r.Op, a)
	case "openRequestReply":
		sidecar, err := t.sidecars.of(a.Sidecar)
		if err != nil {
			return nil, err
		}
		return t.openRequestReply(whenSent(ctx, begun), sidecar, a)
	case "serve", "stopServing", "request", "requestStatistics", "closeRequestReply":
		calls, err := t.calls.of(a.Calls)
		if err != nil {
			return nil, err
		}
		return calls.carryOut(ctx, begun, r.Op, a)
	case "send", "flush", "senderState", "closeSender":
		sender, err := t.senders.of(a.Sender)
		if err != nil {
			return nil, err
		}
		return onSender(whenWaiting{ctx, begun}, sender, r.Op, a)
	}
	if a.Mailbox == "" {
		return nil, fmt.Errorf("unknown op %s", r.Op)
	}
	mailbox, err := t.mailboxes.of(a.Mailbox)
	if err != nil {
		return nil, err
	}
	if r.Op == "receive" {
		return receive(ctx, begun, mailbox, a)
	}
	if r.Op == "openSender" {
		return t.openSender(ctx, mailbox, a)
	}
	return onMailbox(whenSent(ctx, begun), mailbox, r.Op, a)
}

func (t *things) open(a *args) (plain, error) {
	options, err := a.channel()
	if err != nil {
		return nil, err
	}
	options.DialOptions = []grpc.DialOption{grpc.WithStatsHandler(sending{})}
	sidecar, err := spread.New(options)
	if err != nil {
		return nil, err
	}
	t.sidecars.keep(a.Sidecar, sidecar)
	return nil, nil
}

func (t *things) onSidecar(ctx context.Context, sidecar *spread.Sidecar, op string, a *args) (plain, error) {
	switch op {
	case "waitForReady":
		return nil, sidecar.WaitForReady(ctx, spread.ReadyOptions{Daemon: a.Daemon})
	case "version":
		version, err := sidecar.Version(ctx)
		if err != nil {
			return nil, err
		}
		return plain{
			"sidecar":        version.Sidecar,
			"contract":       version.Contract,
			"clientProtocol": version.ClientProtocol,
			"daemon":         version.Daemon,
			"daemonAddress":  version.DaemonAddress,
			"embeddedDaemon": version.EmbeddedDaemon,
		}, nil
	case "list":
		groups := []string{}
		for info, err := range sidecar.ListMailboxes(ctx, spread.ListOptions{AdminToken: a.Token}) {
			if err != nil {
				return nil, err
			}
			groups = append(groups, info.PrivateGroup)
		}
		return plain{"privateGroups": groups}, nil
	case "closeSidecar":
		t.sidecars.drop(a.Sidecar)
		return nil, sidecar.Shutdown(ctx, spread.ShutdownOptions{})
	case "exitSidecar":
		return nil, t.exitSidecar(ctx, sidecar, a)
	case "connect":
		options, err := a.mailboxOptions()
		if err != nil {
			return nil, err
		}
		notifications := &notifications{}
		options.OnNotice = notifications.notice
		mailbox, err := sidecar.Connect(ctx, options)
		if err != nil {
			return nil, err
		}
		return t.keep(a.Mailbox, openMailbox{mailbox, notifications}), nil
	}
	notifications := &notifications{}
	options := spread.AttachOptions{ReceiveOptions: a.receiving(), AfterSequence: a.AfterSequence}
	options.OnNotice = notifications.notice
	mailbox, err := sidecar.Attach(ctx, a.MailboxID, options)
	if err != nil {
		return nil, err
	}
	return t.keep(a.Mailbox, openMailbox{mailbox, notifications}), nil
}

func (t *things) exitSidecar(ctx context.Context, sidecar *spread.Sidecar, a *args) (err error) {
	defer func() { err = errorOfExit(err, sidecar.Close()) }()
	if a.ReceivesFrom == "" {
		return nil
	}
	mailbox, err := t.mailboxes.of(a.ReceivesFrom)
	if err == nil {
		_, err = mailbox.Receive(ctx)
	}
	return err
}

func exitMailbox(ctx context.Context, mailbox openMailbox, a *args) (err error) {
	defer func() { err = errorOfExit(err, mailbox.Close()) }()
	if a.Receives {
		_, err = mailbox.Receive(ctx)
	}
	return err
}

// errorOfExit is the error in a program that reports every error of a deferred Close.
func errorOfExit(ofBody, ofClose error) error {
	if ofClose != nil {
		return ofClose
	}
	return ofBody
}

func (t *things) keep(name string, mailbox openMailbox) plain {
	t.mailboxes.keep(name, mailbox)
	return plain{
		"mailboxId":       mailbox.ID(),
		"privateGroup":    mailbox.PrivateGroup(),
		"daemon":          mailbox.Daemon(),
		"daemonVersion":   mailbox.DaemonVersion(),
		"leaseMs":         inMillis(mailbox.Limits().Lease),
		"acknowledgement": mailbox.Acknowledgement(),
	}
}

func onMailbox(ctx context.Context, mailbox openMailbox, op string, a *args) (plain, error) {
	switch op {
	case "detach":
		resumption := mailbox.Detach()
		return plain{"mailboxId": resumption.MailboxID, "afterSequence": resumption.AfterSequence}, nil
	case "disconnect":
		options := spread.DisconnectOptions{LeaveGroupsFirst: a.LeaveGroupsFirst, Abort: a.Abort}
		wasOpen, err := mailbox.Disconnect(ctx, options)
		return plain{"wasOpen": wasOpen}, err
	case "exitMailbox":
		return nil, exitMailbox(ctx, mailbox, a)
	case "join":
		if !a.AwaitView {
			return plain{"view": nil}, mailbox.Join(ctx, a.Group)
		}
		view, err := mailbox.JoinAndAwaitView(ctx, a.Group)
		if err != nil {
			return nil, err
		}
		return plain{"view": toPlain(view)}, nil
	case "leave":
		if !a.AwaitView {
			return plain{"selfLeave": nil}, mailbox.Leave(ctx, a.Group)
		}
		left, err := mailbox.LeaveAndAwaitView(ctx, a.Group)
		if err != nil || left == nil {
			return plain{"selfLeave": nil}, err
		}
		return plain{"selfLeave": toPlain(left)}, nil
	case "multicast":
		sent, err := mailbox.MultigroupMulticast(ctx, a.service(), a.Groups, a.Payload, a.MessageType, spread.WithHeaders(a.Headers))
		return plain{"bytesSent": sent}, err
	case "poll":
		result, err := mailbox.Poll(ctx)
		return plain{
			"bufferedEvents": result.BufferedEvents,
			"waitingEvents":  result.WaitingEvents,
			"waitingBytes":   result.WaitingBytes,
			"state":          result.State,
		}, err
	case "acknowledge":
		upTo := mailbox.LastSequence()
		if a.Sequence != nil {
			upTo = *a.Sequence
		}
		now, err := mailbox.Acknowledge(ctx, upTo)
		return plain{"acknowledgedSequence": now}, err
	case "view":
		current, err := mailbox.View(ctx, a.Group)
		if err != nil {
			return nil, err
		}
		return plain{"view": toPlain(current.View), "inTransition": current.InTransition}, nil
	case "info":
		return info(ctx, mailbox)
	case "state":
		return plain{"privateGroup": mailbox.PrivateGroup(), "lastSequence": mailbox.LastSequence()}, nil
	case "notices":
		mailbox.notifications.mu.Lock()
		defer mailbox.notifications.mu.Unlock()
		return plain{"notices": append([]plain{}, mailbox.notifications.notices...)}, nil
	}
	return nil, fmt.Errorf("unknown op %s", op)
}

func info(ctx context.Context, mailbox openMailbox) (plain, error) {
	info, err := mailbox.Info(ctx)
	if err != nil {
		return nil, err
	}
	return plain{
		"privateGroup":         info.PrivateGroup,
		"state":                info.State,
		"daemon":               info.Daemon,
		"membership":           info.Membership,
		"acknowledgement":      info.Acknowledgement,
		"groups":               list(info.Groups),
		"receiverAttached":     info.ReceiverAttached,
		"lastSequence":         info.LastSequence,
		"deliveredSequence":    info.DeliveredSequence,
		"acknowledgedSequence": info.AcknowledgedSequence,
		"waitingEvents":        info.WaitingEvents,
		"waitingBytes":         info.WaitingBytes,
		"messagesSent":         info.MessagesSent,
		"payloadBytesSent":     info.PayloadBytesSent,
	}, nil
}

func receive(ctx context.Context, begun *begun, mailbox openMailbox, a *args) (plain, error) {
	events := []plain{}
	waiting := whenWaiting{ctx, begun}
	for len(events) < once(a.Count) {
		event, err := mailbox.Receive(waiting)
		if err == nil {
			events = append(events, toPlain(event))
			continue
		}
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return plain{"events": events, "timedOut": true, "end": nil}, nil
		case ctx.Err() != nil:
			return nil, err
		}
		var failure *spread.SpreadError
		if !errors.As(err, &failure) {
			return nil, err
		}
		return plain{"events": events, "timedOut": false, "end": withoutKind(failure)}, nil
	}
	return plain{"events": events, "timedOut": false, "end": nil}, nil
}

func (t *things) openSender(ctx context.Context, mailbox openMailbox, a *args) (plain, error) {
	notifications := &notifications{}
	options := spread.SenderOptions{
		MaxInFlightMessages: a.MaxInFlightMessages,
		MaxInFlightBytes:    a.MaxInFlightBytes,
		MaxBatchBytes:       a.MaxBatchBytes,
	}
	if a.Callback == nil || *a.Callback {
		options.OnRefused = notifications.refusal
	}
	sender, err := mailbox.Sender(ctx, options)
	if err != nil {
		return nil, err
	}
	t.senders.keep(a.Sender, openSender{sender, notifications})
	return nil, nil
}

func onSender(ctx context.Context, sender openSender, op string, a *args) (plain, error) {
	switch op {
	case "send":
		headers := spread.WithHeaders(a.Headers)
		for range once(a.Times) {
			if err := sender.SendMultigroup(ctx, a.service(), a.Groups, a.Payload, a.MessageType, headers); err != nil {
				return nil, err
			}
		}
		return nil, nil
	case "flush":
		progress, err := sender.Flush(ctx)
		return toProgress(progress), err
	case "closeSender":
		progress, err := sender.Close(ctx)
		return toProgress(progress), err
	}
	result := toProgress(sender.Progress())
	result["undecided"] = len(sender.Undecided())
	sender.notifications.mu.Lock()
	defer sender.notifications.mu.Unlock()
	result["refusals"] = append([]plain{}, sender.notifications.refusals...)
	return result, nil
}

// resources counts the resources that a leak would increase.
func resources() (plain, error) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return plain{"threads": nil, "descriptors": nil, "tasks": runtime.NumGoroutine()}, nil
	}
	return plain{"threads": nil, "descriptors": len(entries), "tasks": runtime.NumGoroutine()}, nil
}
