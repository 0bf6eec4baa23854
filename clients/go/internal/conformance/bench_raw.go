package main

import (
	"context"
	"math"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	// A frame of the raw sender has the same size as one of the client.
	rawBatchMessages = 1024
	rawBatchBytes    = 1 << 20
)

// rawPeer uses only the generated stubs.
type rawPeer struct {
	ctx        context.Context
	conn       *grpc.ClientConn
	stub       pb.MailboxServiceClient
	mailboxID  string
	groups     []string
	sending    grpc.BidiStreamingClient[pb.MulticastStreamRequest, pb.MulticastStreamResponse]
	receiving  grpc.ServerStreamingClient[pb.ReceiveResponse]
	batch      []*pb.MulticastMessage
	batchBytes int
}

func newRawPeer(target, group string) (*rawPeer, error) {
	conn, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithInitialWindowSize(1<<20),
		grpc.WithInitialConnWindowSize(1<<20),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
	)
	if err != nil {
		return nil, err
	}
	p := &rawPeer{ctx: context.Background(), conn: conn, stub: pb.NewMailboxServiceClient(conn), groups: []string{group}}
	off := false
	answer, err := p.stub.Connect(p.ctx, &pb.ConnectRequest{Membership: &off})
	if err != nil {
		return nil, err
	}
	p.mailboxID = answer.GetMailboxId()
	if _, err := p.stub.Join(p.ctx, &pb.JoinRequest{MailboxId: p.mailboxID, Group: group}); err != nil {
		return nil, err
	}
	if p.sending, err = p.stub.MulticastStream(p.ctx); err != nil {
		return nil, err
	}
	open := &pb.MulticastStreamRequest_Open{Open: &pb.MulticastStreamOpen{MailboxId: p.mailboxID}}
	if err := p.sending.Send(&pb.MulticastStreamRequest{Frame: open}); err != nil {
		return nil, err
	}
	go func() {
		for {
			if _, err := p.sending.Recv(); err != nil {
				return
			}
		}
	}()
	p.receiving, err = p.stub.Receive(p.ctx, &pb.ReceiveRequest{MailboxId: p.mailboxID})
	return p, err
}

func (p *rawPeer) message(payload []byte) *pb.MulticastMessage {
	return &pb.MulticastMessage{ServiceType: pb.ServiceType_SERVICE_TYPE_FIFO, Groups: p.groups, Payload: payload}
}

func (p *rawPeer) send(payload []byte) error {
	p.batch = append(p.batch, p.message(payload))
	p.batchBytes += len(payload)
	if len(p.batch) < rawBatchMessages && p.batchBytes < rawBatchBytes {
		return nil
	}
	return p.flush()
}

func (p *rawPeer) flush() error {
	if len(p.batch) == 0 {
		return nil
	}
	batch := &pb.MulticastStreamRequest_Batch{Batch: &pb.MulticastBatch{Messages: p.batch}}
	p.batch, p.batchBytes = nil, 0
	return p.sending.Send(&pb.MulticastStreamRequest{Frame: batch})
}

func (p *rawPeer) multicast(payload []byte) error {
	_, err := p.stub.Multicast(p.ctx, &pb.MulticastRequest{MailboxId: p.mailboxID, Message: p.message(payload)})
	return err
}

func (p *rawPeer) receive() (int, error) {
	for {
		response, err := p.receiving.Recv()
		if err != nil {
			return 0, err
		}
		if batch := response.GetBatch(); batch != nil {
			return len(batch.GetEvents()), nil
		}
	}
}

func (p *rawPeer) close() error {
	if err := p.sending.CloseSend(); err != nil {
		return err
	}
	if _, err := p.stub.Disconnect(p.ctx, &pb.DisconnectRequest{MailboxId: p.mailboxID}); err != nil {
		return err
	}
	return p.conn.Close()
}
