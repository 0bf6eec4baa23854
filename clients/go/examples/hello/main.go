// Joins a group, sends it a message and receives it: hello [target]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
)

func run(ctx context.Context, target string) error {
	mailbox, err := spreadsidecar.Connect(ctx, spreadsidecar.Options{Target: target}, spreadsidecar.MailboxOptions{
		PrivateName:    "hello",
		OnNameConflict: spreadsidecar.SuffixOnConflict,
	})
	if err != nil {
		return err
	}
	defer mailbox.Close()
	if _, err := mailbox.JoinAndAwaitView(ctx, "greetings"); err != nil {
		return err
	}
	if _, err := mailbox.Multicast(ctx, spreadsidecar.AgreedMess, "greetings", []byte("hello, group"), 7); err != nil {
		return err
	}
	for event, err := range mailbox.Events(ctx) {
		if err != nil {
			return err
		}
		message, ok := event.(*spreadsidecar.RegularMessage)
		if ok && message.Sender == mailbox.PrivateGroup() {
			groups := strings.Join(message.Groups, ", ")
			fmt.Printf("%s to %s: %s (type %d)\n", message.Sender, groups, message.Text(), message.MessageType)
			break
		}
	}
	return nil
}

func main() {
	target := spreadsidecar.DefaultTarget
	if len(os.Args) > 1 {
		target = os.Args[1]
	}
	if err := run(context.Background(), target); err != nil {
		log.Fatal(err)
	}
}
