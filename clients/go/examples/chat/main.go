// Sends each line of standard input to a group, and prints the messages of the other members: chat [target
// [name]]
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
)

const group = "chat"

func show(events <-chan spreadsidecar.Event) {
	for event := range events {
		switch event := event.(type) {
		case *spreadsidecar.RegularMessage:
			fmt.Printf("%s: %s\n", event.Sender, event.Text())
		case *spreadsidecar.ViewMessage:
			switch event.Cause {
			case spreadsidecar.CauseJoin:
				fmt.Printf("* %s came\n", event.ChangedMembers[0])
			case spreadsidecar.CauseLeave, spreadsidecar.CauseDisconnect:
				fmt.Printf("* %s went\n", event.ChangedMembers[0])
			}
		}
	}
}

func run(ctx context.Context, target, name string) error {
	mailbox, err := spreadsidecar.Connect(ctx, spreadsidecar.Options{Target: target}, spreadsidecar.MailboxOptions{
		PrivateName:    name,
		OnNameConflict: spreadsidecar.SuffixOnConflict,
	})
	if err != nil {
		return err
	}
	defer mailbox.Close()
	events, ended := mailbox.Channel(ctx)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		show(events)
	}()
	if _, err := mailbox.JoinAndAwaitView(ctx, group); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		service := spreadsidecar.AgreedMess | spreadsidecar.SelfDiscard
		if _, err := mailbox.Multicast(ctx, service, group, lines.Bytes(), 0); err != nil {
			return err
		}
	}
	if _, err := mailbox.Disconnect(ctx, spreadsidecar.DisconnectOptions{LeaveGroupsFirst: true}); err != nil {
		return err
	}
	<-shown
	return ended()
}

func main() {
	target, name := spreadsidecar.DefaultTarget, "guest"
	if len(os.Args) > 1 {
		target = os.Args[1]
	}
	if len(os.Args) > 2 {
		name = os.Args[2]
	}
	if err := run(context.Background(), target, name); err != nil {
		log.Fatal(err)
	}
}
