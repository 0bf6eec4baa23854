package spreadsidecar

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

type (
	receiveStream   = grpc.ServerStreamingServer[pb.ReceiveResponse]
	multicastStream = grpc.BidiStreamingServer[pb.MulticastStreamRequest, pb.MulticastStreamResponse]
)

// fake is a sidecar whose behavior a test defines.
type fake struct {
	pb.UnimplementedMailboxServiceServer
	server *grpc.Server
	target string
	// mailboxID is the response of Connect.
	mailboxID string
	lease     time.Duration
	mode      pb.Acknowledgement

	// onReceive handles the n-th Receive stream, starting at 0.
	onReceive func(n int, request *pb.ReceiveRequest, stream receiveStream) error
	onStream  func(stream multicastStream) error
	onPoll    func() error
	// The next three handlers return the error of a call.
	onAcknowledge func() error
	onDisconnect  func() error
	onMulticast   func() error

	mu           sync.Mutex
	receives     int
	polls        int
	acknowledged []uint64
	tokens       []string
	multicasts   []*pb.MulticastMessage
	disconnects  int
}

// startFake starts a fake with one handler of Receive.
func startFake(t *testing.T, onReceive func(n int, request *pb.ReceiveRequest, stream receiveStream) error) *fake {
	t.Helper()
	leavesNothing(t)
	f := &fake{mailboxID: "id", lease: 30 * time.Second, onReceive: onReceive}
	f.listen(t, "127.0.0.1:0")
	t.Cleanup(func() { f.server.Stop() })
	return f
}

func (f *fake) listen(t *testing.T, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	f.target = listener.Addr().String()
	f.server = grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	pb.RegisterMailboxServiceServer(f.server, f)
	go func(server *grpc.Server) { _ = server.Serve(listener) }(f.server)
}

// restart closes all connections and listens again on the same address.
func (f *fake) restart(t *testing.T) {
	t.Helper()
	f.server.Stop()
	f.listen(t, f.target)
}

func (f *fake) count(field *int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *field
}

func (f *fake) noteToken(ctx context.Context) {
	headers, _ := metadata.FromIncomingContext(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens = append(f.tokens, append(headers.Get("authorization"), "")[0])
}

func (f *fake) limits() *pb.MailboxLimits { return &pb.MailboxLimits{Lease: durationpb.New(f.lease)} }

func (f *fake) Connect(ctx context.Context, _ *pb.ConnectRequest) (*pb.ConnectResponse, error) {
	f.noteToken(ctx)
	return &pb.ConnectResponse{MailboxId: f.mailboxID, PrivateGroup: "#a#d", Limits: f.limits(), Acknowledgement: f.mode}, nil
}

func (f *fake) GetMailbox(context.Context, *pb.GetMailboxRequest) (*pb.GetMailboxResponse, error) {
	mailbox := &pb.Mailbox{PrivateGroup: "#a#d", Limits: f.limits(), DeliveredSequence: 2, AcknowledgedSequence: 1}
	return &pb.GetMailboxResponse{Mailbox: mailbox}, nil
}

func (f *fake) Disconnect(context.Context, *pb.DisconnectRequest) (*pb.DisconnectResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.disconnects++
	if f.onDisconnect != nil {
		return nil, f.onDisconnect()
	}
	return &pb.DisconnectResponse{WasOpen: f.disconnects == 1}, nil
}

func (f *fake) Poll(context.Context, *pb.PollRequest) (*pb.PollResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls++
	if f.onPoll != nil {
		return nil, f.onPoll()
	}
	return &pb.PollResponse{State: pb.MailboxState_MAILBOX_STATE_OPEN}, nil
}

func (f *fake) Acknowledge(_ context.Context, request *pb.AcknowledgeRequest) (*pb.AcknowledgeResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acknowledged = append(f.acknowledged, request.GetUpToSequence())
	if f.onAcknowledge != nil {
		return nil, f.onAcknowledge()
	}
	return &pb.AcknowledgeResponse{AcknowledgedSequence: request.GetUpToSequence()}, nil
}

func (f *fake) Multicast(ctx context.Context, request *pb.MulticastRequest) (*pb.MulticastResponse, error) {
	f.noteToken(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.multicasts = append(f.multicasts, request.GetMessage())
	if f.onMulticast != nil {
		return nil, f.onMulticast()
	}
	return &pb.MulticastResponse{BytesSent: uint32(len(request.GetMessage().GetPayload()))}, nil
}

func (f *fake) GetVersion(context.Context, *pb.GetVersionRequest) (*pb.GetVersionResponse, error) {
	return &pb.GetVersionResponse{Sidecar: "9.9.9", ClientProtocol: &pb.Version{Major: 5, Patch: 1}}, nil
}

// ListMailboxes returns three pages.
func (f *fake) ListMailboxes(ctx context.Context, request *pb.ListMailboxesRequest) (*pb.ListMailboxesResponse, error) {
	f.noteToken(ctx)
	page := request.GetPageToken()
	next := map[string]string{"": "2", "2": "3"}[page]
	return &pb.ListMailboxesResponse{Mailboxes: []*pb.Mailbox{{PrivateGroup: "#" + page}}, NextPageToken: next}, nil
}

func (f *fake) Receive(request *pb.ReceiveRequest, stream receiveStream) error {
	f.noteToken(stream.Context())
	f.mu.Lock()
	n := f.receives
	f.receives++
	f.mu.Unlock()
	return f.onReceive(n, request, stream)
}

func (f *fake) MulticastStream(stream multicastStream) error { return f.onStream(stream) }

// connect opens a mailbox in the fake and disconnects it at the end of the test.
func (f *fake) connect(t *testing.T, options MailboxOptions) *Mailbox {
	t.Helper()
	return f.connectWith(t, Options{}, options)
}

func (f *fake) connectWith(t *testing.T, channel Options, options MailboxOptions) *Mailbox {
	t.Helper()
	channel.Target = f.target
	mailbox, err := Connect(t.Context(), channel, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mailbox.Detach() })
	return mailbox
}

func attachedFrame(next uint64) *pb.ReceiveResponse {
	attached := &pb.ReceiveAttached{NextSequence: next, PrivateGroup: "#a#d"}
	return &pb.ReceiveResponse{Frame: &pb.ReceiveResponse_Attached{Attached: attached}}
}

// batchFrame has the regular messages of a range of sequences. The message type of each is its sequence.
func batchFrame(from, to uint64) *pb.ReceiveResponse {
	batch := &pb.EventBatch{}
	for sequence := from; sequence <= to; sequence++ {
		message := &pb.RegularMessage{Sender: "#b#d", Groups: []string{"g"}, MessageType: int32(sequence)}
		kind := &pb.Event_RegularMessage{RegularMessage: message}
		batch.Events = append(batch.Events, &pb.Event{Sequence: sequence, Kind: kind})
	}
	return &pb.ReceiveResponse{Frame: &pb.ReceiveResponse_Batch{Batch: batch}}
}

// send sends frames to a stream until one fails.
func send(stream receiveStream, frames ...*pb.ReceiveResponse) error {
	for _, frame := range frames {
		if err := stream.Send(frame); err != nil {
			return err
		}
	}
	return nil
}

// idle keeps a stream open until the client ends it.
func idle(stream receiveStream) error {
	<-stream.Context().Done()
	return stream.Context().Err()
}

// because is the status with which the sidecar ends a call.
func because(code codes.Code, reason Reason, metadata map[string]string) error {
	info := &errdetails.ErrorInfo{Reason: string(reason), Domain: SidecarDomain, Metadata: metadata}
	state, err := status.New(code, "the fake's sentence").WithDetails(info)
	if err != nil {
		return err
	}
	return state.Err()
}

// expectSequences receives events and compares their sequences.
func expectSequences(t *testing.T, mailbox *Mailbox, from, to uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for sequence := from; sequence <= to; sequence++ {
		event, err := mailbox.Receive(ctx)
		if err != nil {
			t.Fatalf("event %d: %v", sequence, err)
		}
		if event.Info().Sequence != sequence {
			t.Fatalf("got event %d in place of %d", event.Info().Sequence, sequence)
		}
	}
}

// expectEnd receives until the end and returns its error.
func expectEnd(t *testing.T, mailbox *Mailbox) *SpreadError {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, err := mailbox.Receive(ctx)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			t.Fatal("receiving does not end")
		}
		return err.(*SpreadError)
	}
}

// until waits for a condition.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
