package spreadsidecar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc/codes"
)

// openCalls opens objects for requests and replies over one channel. It needs a sidecar.
func openCalls(t *testing.T, count int, options RequestReplyOptions) []*RequestReply {
	t.Helper()
	if target == "" {
		t.Skip("SPREAD_SIDECAR_TARGET is not set")
	}
	leavesNothing(t)
	sidecar, err := New(Options{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sidecar.Close() })
	objects := make([]*RequestReply, count)
	for i := range objects {
		if objects[i], err = sidecar.OpenRequestReply(t.Context(), options); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = objects[i].Close(context.Background()) })
	}
	return objects
}

// group is a group for one test.
func group(t *testing.T) string {
	return fmt.Sprintf("rr-%d", groups.Add(1))
}

var groups atomic.Int64

func serve(t *testing.T, c *RequestReply, group string, handler RequestHandler, options ServeOptions) *RequestService {
	t.Helper()
	service, err := c.Serve(t.Context(), group, handler, options)
	if err != nil {
		t.Fatal(err)
	}
	return service
}

func upper(_ context.Context, request *IncomingRequest) (HandlerReply, error) {
	return HandlerReply{Payload: bytes.ToUpper(request.Payload)}, nil
}

// never returns at the end of the mailbox, and reports each start.
func never(started chan<- struct{}) RequestHandler {
	return func(ctx context.Context, _ *IncomingRequest) (HandlerReply, error) {
		started <- struct{}{}
		<-ctx.Done()
		return HandlerReply{}, ctx.Err()
	}
}

func ask(t *testing.T, c *RequestReply, target, payload string, options RequestOptions) *Replies {
	t.Helper()
	replies, err := c.Request(t.Context(), target, []byte(payload), options)
	if err != nil {
		t.Fatal(err)
	}
	return replies
}

// texts has the sorted replies, as sender and payload.
func texts(replies *Replies) []string {
	var all []string
	for _, reply := range replies.Replies {
		all = append(all, reply.Sender+" "+reply.Text())
	}
	slices.Sort(all)
	return all
}

func expectReplies(t *testing.T, got *Replies, wanted Replies, texted ...string) {
	t.Helper()
	slices.Sort(texted)
	rest := *got
	rest.Replies = nil
	if !reflect.DeepEqual(rest, wanted) || !slices.Equal(texts(got), texted) {
		t.Errorf("got %+v with the replies %q, expected %+v with %q", rest, texts(got), wanted, texted)
	}
}

// wait waits for a value of a channel.
func wait[T any](t *testing.T, values <-chan T) T {
	t.Helper()
	select {
	case value := <-values:
		return value
	case <-time.After(10 * time.Second):
		t.Fatal("in vain")
		panic("unreachable")
	}
}

type outcomeOfRequest struct {
	replies *Replies
	err     error
}

// beginRequest makes a request in a goroutine.
func beginRequest(t *testing.T, c *RequestReply, target string, options RequestOptions) <-chan outcomeOfRequest {
	result := make(chan outcomeOfRequest, 1)
	go func() {
		replies, err := c.Request(t.Context(), target, []byte("x"), options)
		result <- outcomeOfRequest{replies, err}
	}()
	return result
}

func TestARequestGetsOneReplyByDefault(t *testing.T) {
	c := openCalls(t, 2, RequestReplyOptions{})
	g := group(t)
	serve(t, c[1], g, func(_ context.Context, r *IncomingRequest) (HandlerReply, error) {
		text := fmt.Sprintf("%s %s %s %s %d", r.Text(), r.Sender, r.Group, r.Headers["name"], r.MessageType)
		headers := map[string]string{HeaderContentType: "text/plain", HeaderReplyTo: "g", headerReplyStatus: "error"}
		return HandlerReply{Payload: []byte(text), Headers: headers}, nil
	}, ServeOptions{})
	got := ask(t, c[0], g, "hello", RequestOptions{Headers: map[string]string{"name": "x"}, MessageType: 7})
	text := fmt.Sprintf("%s hello %s %s x 7", c[1].PrivateGroup(), c[0].PrivateGroup(), g)
	expectReplies(t, got, Replies{Complete: true}, text)
	if got.Replies[0].Headers[HeaderContentType] != "text/plain" {
		t.Error(got.Replies[0].Headers)
	}
}

func TestARequestGetsTheRepliesOfAllMembers(t *testing.T) {
	c := openCalls(t, 3, RequestReplyOptions{})
	g := group(t)
	var expected []string
	for _, server := range c {
		serve(t, server, g, upper, ServeOptions{})
		expected = append(expected, server.PrivateGroup()+" X")
	}
	expectReplies(t, ask(t, c[0], g, "x", RequestOptions{Replies: AllReplies}), Replies{Complete: true}, expected...)
}

func TestARequestDoesNotWaitForMembersThatDoNotServe(t *testing.T) {
	c := openCalls(t, 3, RequestReplyOptions{})
	g := group(t)
	serve(t, c[2], g, upper, ServeOptions{})
	ask(t, c[1], g, "joins the group", RequestOptions{Replies: AllReplies})
	got := ask(t, c[0], g, "x", RequestOptions{Replies: AllReplies})
	expectReplies(t, got, Replies{Complete: true}, c[2].PrivateGroup()+" X")
}

func TestARequestReportsAMemberThatLeavesAtOnce(t *testing.T) {
	c := openCalls(t, 3, RequestReplyOptions{})
	g := group(t)
	started := make(chan struct{}, 1)
	serve(t, c[1], g, upper, ServeOptions{})
	serve(t, c[2], g, never(started), ServeOptions{})
	result := beginRequest(t, c[0], g, RequestOptions{Replies: AllReplies, Timeout: time.Minute})
	wait(t, started)
	if err := c[2].Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := wait(t, result)
	expectReplies(t, got.replies, Replies{Left: []string{c[2].PrivateGroup()}}, c[1].PrivateGroup()+" X")
}

func TestARequestReportsMembersThatDoNotReplyInTime(t *testing.T) {
	c := openCalls(t, 2, RequestReplyOptions{})
	g := group(t)
	serve(t, c[1], g, never(make(chan struct{}, 1)), ServeOptions{})
	got := ask(t, c[0], g, "x", RequestOptions{Replies: AllReplies, Timeout: 50 * time.Millisecond})
	expectReplies(t, got, Replies{Missing: []string{c[1].PrivateGroup()}, TimedOut: true})
	got = ask(t, c[0], group(t), "empty", RequestOptions{Timeout: 50 * time.Millisecond})
	expectReplies(t, got, Replies{TimedOut: true})
}

func TestARequestReportsTheFailureOfAHandler(t *testing.T) {
	c := openCalls(t, 2, RequestReplyOptions{})
	g := group(t)
	serve(t, c[1], g, func(context.Context, *IncomingRequest) (HandlerReply, error) {
		return HandlerReply{}, errors.New("it failed:  " + strings.Repeat("ä", 1000))
	}, ServeOptions{})
	reply := ask(t, c[0], g, "x", RequestOptions{}).Replies[0]
	var failure *HandlerError
	if !errors.As(reply.Err, &failure) || failure.Message != "it failed:  "+strings.Repeat("ä", 494) || len(reply.Payload) > 0 {
		t.Errorf("%q %d", reply.Err, len(reply.Payload))
	}
}

func TestARequestReportsAReplyThatIsTooLong(t *testing.T) {
	c := openCalls(t, 2, RequestReplyOptions{})
	g := group(t)
	serve(t, c[1], g, func(context.Context, *IncomingRequest) (HandlerReply, error) {
		return HandlerReply{Payload: make([]byte, 200_000)}, nil
	}, ServeOptions{})
	reply := ask(t, c[0], g, "x", RequestOptions{}).Replies[0]
	if reply.Err == nil || !strings.Contains(reply.Err.Error(), "143") {
		t.Error(reply.Err)
	}
}

func TestARequestThatIsTooLongFails(t *testing.T) {
	c := openCalls(t, 1, RequestReplyOptions{})
	_, err := c[0].Request(t.Context(), "g", make([]byte, 200_000), RequestOptions{})
	var failure *SpreadError
	if !errors.As(err, &failure) || failure.Reason != "MESSAGE_TOO_LONG" || failure.Outcome != OutcomeNotSent {
		t.Error(err)
	}
	if open := c[0].Statistics().Open; open != 0 {
		t.Error(open)
	}
}

func TestAContextCancelsARequest(t *testing.T) {
	c := openCalls(t, 1, RequestReplyOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := c[0].Request(ctx, "empty", nil, RequestOptions{})
		result <- err
	}()
	until(t, "the request is open", func() bool { return c[0].Statistics().Open == 1 })
	cancel()
	if err := wait(t, result); !errors.Is(err, context.Canceled) || err.(*SpreadError).Outcome != OutcomeUnknown {
		t.Error(err)
	}
	if _, err := c[0].Request(ctx, "empty", nil, RequestOptions{}); err.(*SpreadError).Outcome != OutcomeNotSent {
		t.Error(err)
	}
	if open := c[0].Statistics().Open; open != 0 {
		t.Error(open)
	}
}

func TestInvalidOptionsOfRequestsAreRejected(t *testing.T) {
	c := openCalls(t, 1, RequestReplyOptions{})
	_, err1 := c[0].Request(t.Context(), "g", nil, RequestOptions{Replies: -2})
	_, err2 := c[0].Request(t.Context(), "g", nil, RequestOptions{Timeout: -1})
	_, err3 := c[0].Serve(t.Context(), "g", upper, ServeOptions{Concurrency: -1})
	serve(t, c[0], "served-twice", upper, ServeOptions{})
	_, err4 := c[0].Serve(t.Context(), "served-twice", upper, ServeOptions{})
	for _, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, ErrFieldInvalid) {
			t.Error(err)
		}
	}
}

func TestARequestToAPrivateGroupReachesThisMemberOnly(t *testing.T) {
	c := openCalls(t, 3, RequestReplyOptions{})
	g := group(t)
	serve(t, c[1], g, upper, ServeOptions{})
	serve(t, c[2], g, upper, ServeOptions{})
	serve(t, c[2], group(t), func(context.Context, *IncomingRequest) (HandlerReply, error) {
		return HandlerReply{Payload: []byte("of the second service")}, nil
	}, ServeOptions{})
	got := ask(t, c[0], c[2].PrivateGroup(), "x", RequestOptions{})
	expectReplies(t, got, Replies{Complete: true}, c[2].PrivateGroup()+" X")
	got = ask(t, c[0], c[0].PrivateGroup(), "not served", RequestOptions{})
	expectReplies(t, got, Replies{})
}

func TestARequestToAPrivateGroupEndsWhenTheMemberDisconnects(t *testing.T) {
	c := openCalls(t, 2, RequestReplyOptions{})
	g := group(t)
	started := make(chan struct{}, 1)
	serve(t, c[1], g, never(started), ServeOptions{})
	serve(t, c[0], g, upper, ServeOptions{})
	result := beginRequest(t, c[0], c[1].PrivateGroup(), RequestOptions{Timeout: time.Minute})
	wait(t, started)
	if err := c[1].Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	expectReplies(t, wait(t, result).replies, Replies{Left: []string{c[1].PrivateGroup()}})
}

func TestAServiceHandlesRequestsInOrderAndMayMakeRequests(t *testing.T) {
	c := openCalls(t, 3, RequestReplyOptions{})
	front, back := group(t), group(t)
	serve(t, c[2], back, upper, ServeOptions{})
	var running atomic.Int32
	var order []string
	serve(t, c[1], front, func(ctx context.Context, r *IncomingRequest) (HandlerReply, error) {
		if running.Add(1) != 1 {
			t.Error("two handlers run at the same time")
		}
		defer running.Add(-1)
		order = append(order, r.Text())
		replies, err := c[1].Request(ctx, back, r.Payload, RequestOptions{})
		if err != nil {
			return HandlerReply{}, err
		}
		return HandlerReply{Payload: replies.Replies[0].Payload}, nil
	}, ServeOptions{})
	requester := c[0].mailbox
	var expected []string
	for i := range 20 {
		text := fmt.Sprintf("p%d", i)
		expected = append(expected, text)
		headers := map[string]string{HeaderCorrelationID: c[0].prefix + text, HeaderReplyTo: requester.PrivateGroup()}
		_, err := requester.Multicast(t.Context(), AgreedMess, front, []byte(text), 0, WithHeaders(headers))
		if err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all replies", func() bool { return c[0].Statistics().LateReplies == 20 })
	if !slices.Equal(order, expected) {
		t.Error(order)
	}
}

func TestAServiceRejectsRequestsWhenTooManyWait(t *testing.T) {
	c := openCalls(t, 2, RequestReplyOptions{})
	g := group(t)
	finish := make(chan struct{})
	started := make(chan struct{}, 3)
	serve(t, c[1], g, func(context.Context, *IncomingRequest) (HandlerReply, error) {
		started <- struct{}{}
		<-finish
		return HandlerReply{Payload: []byte("done")}, nil
	}, ServeOptions{MaxQueued: 1})
	var results []<-chan outcomeOfRequest
	for range 2 {
		results = append(results, beginRequest(t, c[0], g, RequestOptions{Replies: AllReplies}))
	}
	wait(t, started)
	until(t, "a request waits", func() bool {
		got := ask(t, c[0], g, "x", RequestOptions{Replies: AllReplies, Timeout: 100 * time.Millisecond})
		return slices.Equal(got.Overloaded, []string{c[1].PrivateGroup()})
	})
	close(finish)
	for _, result := range results {
		replies := wait(t, result).replies
		if len(replies.Replies)+len(replies.Overloaded) != 1 {
			t.Error(replies)
		}
	}
}

func TestAServiceLeavesTheGroupWhenItStops(t *testing.T) {
	c := openCalls(t, 2, RequestReplyOptions{})
	g := group(t)
	service := serve(t, c[1], g, upper, ServeOptions{})
	all := RequestOptions{Replies: AllReplies, Timeout: 10 * time.Second}
	expectReplies(t, ask(t, c[0], g, "x", all), Replies{Complete: true}, c[1].PrivateGroup()+" X")
	if err := service.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	expectReplies(t, ask(t, c[0], g, "x", all), Replies{Complete: true})
	serve(t, c[1], g, upper, ServeOptions{})
	expectReplies(t, ask(t, c[0], g, "again", all), Replies{Complete: true}, c[1].PrivateGroup()+" AGAIN")
}

func TestLateAndRepeatedRepliesHaveNoEffect(t *testing.T) {
	c := openCalls(t, 1, RequestReplyOptions{})
	g := group(t)
	other, err := Connect(t.Context(), Options{Target: target}, MailboxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.JoinAndAwaitView(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	result := beginRequest(t, c[0], g, RequestOptions{Replies: 2, Timeout: 300 * time.Millisecond})
	var request *RegularMessage
	for request == nil {
		event, err := other.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		request, _ = event.(*RegularMessage)
	}
	reply := func() {
		headers := map[string]string{HeaderCorrelationID: request.Headers[HeaderCorrelationID]}
		_, err := other.Multicast(t.Context(), AgreedMess, request.Headers[HeaderReplyTo], nil, 0, WithHeaders(headers))
		if err != nil {
			t.Error(err)
		}
	}
	reply()
	reply()
	if replies := wait(t, result).replies; len(replies.Replies) != 1 {
		t.Error(replies)
	}
	reply()
	until(t, "the late reply", func() bool { return c[0].Statistics().LateReplies == 1 })
	if got := c[0].Statistics(); got != (RequestStatistics{LateReplies: 1, DuplicateReplies: 1}) {
		t.Error(got)
	}
}

func TestOtherEventsGoToTheApplication(t *testing.T) {
	events := make(chan Event, 10)
	c := openCalls(t, 2, RequestReplyOptions{OnEvent: func(event Event) { events <- event }})
	g := group(t)
	serve(t, c[0], g, upper, ServeOptions{})
	ask(t, c[1], g, "x", RequestOptions{})
	if _, err := c[1].mailbox.Multicast(t.Context(), AgreedMess, g, []byte("not a request"), 0); err != nil {
		t.Fatal(err)
	}
	if _, isView := wait(t, events).(*ViewMessage); !isView {
		t.Error("the first event is not a view")
	}
	if message, ok := wait(t, events).(*RegularMessage); !ok || message.Text() != "not a request" {
		t.Error(message)
	}
}

func TestCloseEndsOpenRequestsAndAllLaterOnes(t *testing.T) {
	c := openCalls(t, 1, RequestReplyOptions{})
	result := beginRequest(t, c[0], "empty", RequestOptions{})
	until(t, "the request is open", func() bool { return c[0].Statistics().Open == 1 })
	if err := c[0].Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, later := c[0].Request(t.Context(), "empty", nil, RequestOptions{})
	_, serving := c[0].Serve(t.Context(), "g", upper, ServeOptions{})
	for err, outcome := range map[error]Outcome{wait(t, result).err: OutcomeUnknown, later: OutcomeNotSent, serving: OutcomeNotSent} {
		if !errors.Is(err, ErrIllegalSession) || err.(*SpreadError).Outcome != outcome {
			t.Error(err)
		}
	}
}

// callsOfFake opens an object for requests and replies at a fake with a handler of MulticastStream.
func callsOfFake(t *testing.T, events <-chan *pb.Event, onStream func(multicastStream) error) *RequestReply {
	t.Helper()
	f := startFake(t, func(_ int, _ *pb.ReceiveRequest, stream receiveStream) error {
		_ = send(stream, attachedFrame(1))
		for {
			select {
			case event := <-events:
				batch := &pb.EventBatch{Events: []*pb.Event{event}}
				_ = send(stream, &pb.ReceiveResponse{Frame: &pb.ReceiveResponse_Batch{Batch: batch}})
			case <-stream.Context().Done():
				return nil
			}
		}
	})
	f.onStream = onStream
	sidecar, err := New(Options{Target: f.target})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sidecar.Shutdown(context.Background(), ShutdownOptions{KeepMailboxes: true}) })
	calls, err := sidecar.OpenRequestReply(t.Context(), RequestReplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

func TestTheLossOfTheDaemonConnectionEndsRequests(t *testing.T) {
	events := make(chan *pb.Event)
	calls := callsOfFake(t, events, accepting)
	result := beginRequest(t, calls, "empty", RequestOptions{})
	until(t, "the request is open", func() bool { return calls.Statistics().Open == 1 })
	events <- &pb.Event{Sequence: 1, Kind: &pb.Event_ConnectionLost{ConnectionLost: &pb.ConnectionLost{}}}
	var failure *SpreadError
	if err := wait(t, result).err; !errors.As(err, &failure) || failure.Status != codes.Unavailable || failure.Outcome != OutcomeUnknown {
		t.Error(err)
	}
}

func TestTheNumberOfOpenRequestsIsLimited(t *testing.T) {
	calls := callsOfFake(t, nil, accepting)
	for range maxOpenRequests {
		if _, _, err := calls.register("empty", 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := calls.Request(t.Context(), "empty", nil, RequestOptions{}); !errors.Is(err, ErrTooManyCalls) {
		t.Error(err)
	}
}

func TestARequestOutlivesABrokenStreamOfMessages(t *testing.T) {
	calls := callsOfFake(t, nil, accepting)
	beginRequest(t, calls, "empty", RequestOptions{})
	sender := func() *Sender {
		calls.mu.Lock()
		defer calls.mu.Unlock()
		return calls.sender
	}
	until(t, "the first request was sent", func() bool { return sender() != nil && sender().Progress().Decided == 1 })
	broken := sender()
	broken.cancel()
	<-broken.ended
	second := beginRequest(t, calls, "empty", RequestOptions{Timeout: 50 * time.Millisecond})
	if got := wait(t, second); got.err != nil || !got.replies.TimedOut {
		t.Error(got)
	}
	if sender() == broken {
		t.Error("the sender was not replaced")
	}
	if open := calls.Statistics().Open; open != 1 {
		t.Error(open)
	}
}

func TestARequestFailsIfTheSidecarRejectsTheStreamOfMessages(t *testing.T) {
	calls := callsOfFake(t, nil, func(stream multicastStream) error {
		_, _ = stream.Recv()
		return because(codes.ResourceExhausted, ErrRateLimited, map[string]string{"outcome": string(OutcomeNotSent)})
	})
	result := beginRequest(t, calls, "empty", RequestOptions{Timeout: time.Minute})
	if err := wait(t, result).err; !errors.Is(err, ErrRateLimited) {
		t.Error(err)
	}
}
