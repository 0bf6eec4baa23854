package spreadsidecar_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
)

// target is a sidecar whose daemon has no other users. Without it, the examples do not run.
var target = os.Getenv("SPREAD_SIDECAR_TARGET")

var ctx = context.Background()

// open opens a mailbox for an example.
func open(name string) *spreadsidecar.Mailbox {
	options := spreadsidecar.MailboxOptions{PrivateName: name}
	mailbox, err := spreadsidecar.Connect(ctx, spreadsidecar.Options{Target: target}, options)
	if err != nil {
		log.Fatal(err)
	}
	return mailbox
}

func ExampleConnect() {
	if err := hello(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: #alice#localhost to [cats]: hello (type 7)
}

func hello(ctx context.Context) error {
	mailbox, err := spreadsidecar.Connect(ctx, spreadsidecar.Options{Target: target}, spreadsidecar.MailboxOptions{
		PrivateName: "alice",
	})
	if err != nil {
		return err
	}
	defer mailbox.Close()
	if _, err := mailbox.JoinAndAwaitView(ctx, "cats"); err != nil {
		return err
	}
	if _, err := mailbox.Multicast(ctx, spreadsidecar.AgreedMess, "cats", []byte("hello"), 7); err != nil {
		return err
	}
	for event, err := range mailbox.Events(ctx) {
		if err != nil {
			return err
		}
		if message, ok := event.(*spreadsidecar.RegularMessage); ok {
			fmt.Printf("%s to %v: %s (type %d)\n", message.Sender, message.Groups, message.Text(), message.MessageType)
			break
		}
	}
	return nil
}

func ExampleNew() {
	if err := twoMailboxes(ctx, target); err != nil {
		log.Fatal(err)
	}
	// Output: #alice#localhost #bob#localhost
}

func twoMailboxes(ctx context.Context, target string) error {
	// One channel serves several mailboxes. It connects at the first call.
	sidecar, err := spreadsidecar.New(spreadsidecar.Options{Target: target})
	if err != nil {
		return err
	}
	defer sidecar.Close() // disconnects its mailboxes

	// Wait for the start of the sidecar and its daemon.
	waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := sidecar.WaitForReady(waiting, spreadsidecar.ReadyOptions{Daemon: true}); err != nil {
		return err
	}
	alice, err := sidecar.Connect(ctx, spreadsidecar.MailboxOptions{
		PrivateName:    "alice",
		OnNameConflict: spreadsidecar.SuffixOnConflict,
		Lease:          time.Minute,
	})
	if err != nil {
		return err
	}
	bob, err := sidecar.Connect(ctx, spreadsidecar.MailboxOptions{
		PrivateName:    "bob",
		OnNameConflict: spreadsidecar.SuffixOnConflict,
	})
	if err != nil {
		return err
	}
	fmt.Println(alice.PrivateGroup(), bob.PrivateGroup())
	return nil
}

func Example_unixSocket() {
	sidecar, err := spreadsidecar.New(spreadsidecar.Options{Target: "unix:/run/spread-sidecar/grpc.sock"})
	if err != nil {
		log.Fatal(err)
	}
	defer sidecar.Close()
}

func Example_tls() {
	sidecar, err := secured()
	if err != nil {
		log.Fatal(err)
	}
	defer sidecar.Close()
}

func secured() (*spreadsidecar.Sidecar, error) {
	ca, err := os.ReadFile("ca.pem")
	if err != nil {
		return nil, err
	}
	config, err := spreadsidecar.TLSFromPEM(ca, nil, nil) // or any *tls.Config
	if err != nil {
		return nil, err
	}
	return spreadsidecar.New(spreadsidecar.Options{
		Target: "sidecar.example:4813",
		TLS:    config,
		// Called before each call. Use Token for a constant token.
		TokenSource: func(context.Context) (string, error) {
			token, err := os.ReadFile("/run/secrets/token")
			return string(token), err
		},
	})
}

func ExampleMailbox_Receive() {
	mailbox := open("patient")
	defer mailbox.Close()

	// A context limits each call and each wait.
	waiting, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err := mailbox.Receive(waiting)
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Println("nothing came")
	}
	// Output: nothing came
}

func ExampleMailbox_Channel() {
	mailbox := open("channel")
	defer mailbox.Close()
	if err := mailbox.Join(ctx, "ticks"); err != nil {
		log.Fatal(err)
	}

	events, ended := mailbox.Channel(ctx)
	timeout := time.After(10 * time.Second)
	for {
		select {
		case event, open := <-events:
			if !open {
				fmt.Println("the mailbox has ended:", ended())
				return
			}
			view := event.(*spreadsidecar.ViewMessage)
			fmt.Println(view.Cause, view.Members)
			mailbox.Close()
		case <-timeout:
			fmt.Println("nothing came")
			return
		}
	}
	// Output:
	// JOIN [#channel#localhost]
	// the mailbox has ended: <nil>
}

func ExampleMailbox_Detach() {
	sidecar, err := spreadsidecar.New(spreadsidecar.Options{Target: target})
	if err != nil {
		log.Fatal(err)
	}
	defer sidecar.Close()
	mailbox, err := sidecar.Connect(ctx, spreadsidecar.MailboxOptions{PrivateName: "mover"})
	if err != nil {
		log.Fatal(err)
	}
	if err := resume(ctx, sidecar, mailbox); err != nil {
		log.Fatal(err)
	}
	// Output: #mover#localhost continues after event 0
}

func resume(ctx context.Context, sidecar *spreadsidecar.Sidecar, mailbox *spreadsidecar.Mailbox) error {
	resumption := mailbox.Detach() // or remember mailbox.ID() and mailbox.LastSequence()
	// … within the lease, in any process:
	again, err := sidecar.Attach(ctx, resumption.MailboxID, spreadsidecar.AttachOptions{
		AfterSequence: &resumption.AfterSequence,
	})
	if err != nil {
		return err
	}
	fmt.Println(again.PrivateGroup(), "continues after event", again.LastSequence())
	return nil
}

func ExampleMailbox_Sender() {
	mailbox := open("sender")
	defer mailbox.Close()
	if err := sendLines(ctx, mailbox, strings.Fields("one two three")); err != nil {
		log.Fatal(err)
	}
	// Output: 3 sent, 3 accepted
}

func sendLines(ctx context.Context, mailbox *spreadsidecar.Mailbox, lines []string) error {
	sender, err := mailbox.Sender(ctx, spreadsidecar.SenderOptions{
		OnRefused: func(refusal spreadsidecar.Refusal) { log.Print(refusal.Index, refusal.Err) },
	})
	if err != nil {
		return err
	}
	for _, line := range lines {
		// Waits only at the limit of messages in flight.
		if err := sender.Send(ctx, spreadsidecar.FifoMess, "cats", []byte(line), 0); err != nil {
			return err
		}
	}
	progress, err := sender.Close(ctx) // waits until each message is accepted or rejected
	if err != nil {
		return err
	}
	fmt.Printf("%d sent, %d accepted\n", progress.Sent, progress.Accepted)
	return nil
}

func ExampleWithHeaders() {
	mailbox := open("headers")
	defer mailbox.Close()
	if err := sendJSON(ctx, mailbox); err != nil {
		log.Fatal(err)
	}
	// Output: application/json {"n":1}
}

func sendJSON(ctx context.Context, mailbox *spreadsidecar.Mailbox) error {
	if err := mailbox.Join(ctx, "cats"); err != nil {
		return err
	}
	headers := map[string]string{spreadsidecar.HeaderContentType: "application/json"}
	_, err := mailbox.Multicast(ctx, spreadsidecar.AgreedMess, "cats", []byte(`{"n":1}`), 0, spreadsidecar.WithHeaders(headers))
	if err != nil {
		return err
	}
	for event, err := range mailbox.Events(ctx) {
		if err != nil {
			return err
		}
		if message, ok := event.(*spreadsidecar.RegularMessage); ok {
			fmt.Println(message.Headers[spreadsidecar.HeaderContentType], message.Text())
			break
		}
	}
	return nil
}

func ExampleSidecar_OpenRequestReply() {
	if err := askForPrices(ctx, target); err != nil {
		log.Fatal(err)
	}
	// Output: #server#localhost: tea costs 5 EUR
}

func askForPrices(ctx context.Context, target string) error {
	sidecar, err := spreadsidecar.New(spreadsidecar.Options{Target: target})
	if err != nil {
		return err
	}
	defer sidecar.Close()

	server, err := sidecar.OpenRequestReply(ctx, spreadsidecar.RequestReplyOptions{
		Mailbox: spreadsidecar.MailboxOptions{
			PrivateName:    "server",
			OnNameConflict: spreadsidecar.SuffixOnConflict,
		},
	})
	if err != nil {
		return err
	}
	price := func(_ context.Context, request *spreadsidecar.IncomingRequest) (spreadsidecar.HandlerReply, error) {
		return spreadsidecar.HandlerReply{Payload: []byte(request.Text() + " costs 5 EUR")}, nil
	}
	if _, err := server.Serve(ctx, "prices", price, spreadsidecar.ServeOptions{}); err != nil {
		return err
	}

	client, err := sidecar.OpenRequestReply(ctx, spreadsidecar.RequestReplyOptions{})
	if err != nil {
		return err
	}
	result, err := client.Request(ctx, "prices", []byte("tea"), spreadsidecar.RequestOptions{
		Replies: spreadsidecar.AllReplies, // of each member of the group
		Timeout: time.Second,
	})
	if err != nil {
		return err
	}
	for _, reply := range result.Replies {
		fmt.Printf("%s: %s\n", reply.Sender, reply.Text())
	}
	return nil
}

func ExampleSpreadError() {
	sidecar, err := spreadsidecar.New(spreadsidecar.Options{Target: target})
	if err != nil {
		log.Fatal(err)
	}
	defer sidecar.Close()
	for range 2 {
		if err := take(ctx, sidecar); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// the name is taken
	// ALREADY_EXISTS -6 false
}

func take(ctx context.Context, sidecar *spreadsidecar.Sidecar) error {
	_, err := sidecar.Connect(ctx, spreadsidecar.MailboxOptions{PrivateName: "unique"})
	if errors.Is(err, spreadsidecar.ErrRejectNotUnique) { // by reason; spreadsidecar.RejectNotUnique is the code
		fmt.Println("the name is taken")
	}
	var failure *spreadsidecar.SpreadError
	if errors.As(err, &failure) {
		code, _ := failure.Code()
		fmt.Println(failure.StatusName(), int(code), failure.Retryable)
		return nil
	}
	return err
}

func ExampleMailbox_Acknowledge() {
	sidecar, err := spreadsidecar.New(spreadsidecar.Options{Target: target})
	if err != nil {
		log.Fatal(err)
	}
	defer sidecar.Close()
	mailbox, err := sidecar.Connect(ctx, spreadsidecar.MailboxOptions{
		Acknowledgement: spreadsidecar.AckExplicit,
		ReceiveOptions:  spreadsidecar.ReceiveOptions{ManualAcknowledgement: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := mailbox.Join(ctx, "careful"); err != nil {
		log.Fatal(err)
	}
	event, err := mailbox.Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	upTo, err := mailbox.Acknowledge(ctx, event.Info().Sequence)
	fmt.Println(upTo, err)
	// Output: 1 <nil>
}
