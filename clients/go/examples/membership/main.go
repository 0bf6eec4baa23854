// Prints how the members of a group join and leave: membership [target]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
)

const group = "members"

func watch(ctx context.Context, mailbox *spreadsidecar.Mailbox) error {
	for event, err := range mailbox.Events(ctx) {
		if err != nil {
			return err
		}
		switch event := event.(type) {
		case *spreadsidecar.ViewMessage:
			// CauseJoin, CauseLeave, CauseDisconnect or CauseNetwork. event.Reason() returns Spread's bit.
			changed, members := strings.Join(event.ChangedMembers, ", "), strings.Join(event.Members, ", ")
			fmt.Println(event.Cause, changed, "->", members, "I am", event.OwnIndex)
			for _, set := range event.Sets {
				fmt.Println("  together:", strings.Join(set.Members, ", "), map[bool]string{true: "(with me)"}[set.Mine])
			}
		case *spreadsidecar.TransitionalMessage:
			fmt.Println("daemons were lost; a view will follow")
		case *spreadsidecar.SelfLeaveMessage:
			fmt.Println("left", event.Group)
			return nil
		}
	}
	return nil
}

func visit(ctx context.Context, sidecar *spreadsidecar.Sidecar, leaves bool) error {
	guest, err := sidecar.Connect(ctx, spreadsidecar.MailboxOptions{
		PrivateName:    "guest",
		OnNameConflict: spreadsidecar.SuffixOnConflict,
	})
	if err != nil {
		return err
	}
	defer guest.Close()
	view, err := guest.JoinAndAwaitView(ctx, group)
	if err != nil {
		return err
	}
	if view.Members[view.OwnIndex] != guest.PrivateGroup() {
		return fmt.Errorf("%s is not in its view %v", guest.PrivateGroup(), view.Members)
	}
	if leaves {
		_, err = guest.LeaveAndAwaitView(ctx, group)
	}
	return err
}

func run(ctx context.Context, target string) error {
	sidecar, err := spreadsidecar.New(spreadsidecar.Options{Target: target})
	if err != nil {
		return err
	}
	defer sidecar.Close()
	waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := sidecar.WaitForReady(waiting, spreadsidecar.ReadyOptions{Daemon: true}); err != nil {
		return err
	}
	watcher, err := sidecar.Connect(ctx, spreadsidecar.MailboxOptions{
		PrivateName:    "watcher",
		OnNameConflict: spreadsidecar.SuffixOnConflict,
	})
	if err != nil {
		return err
	}
	if _, err := watcher.JoinAndAwaitView(ctx, group); err != nil {
		return err
	}
	for _, leaves := range []bool{true, false} {
		if err := visit(ctx, sidecar, leaves); err != nil {
			return err
		}
	}
	current, err := watcher.View(ctx, group)
	if err != nil {
		return err
	}
	fmt.Println("now:", strings.Join(current.View.Members, ", "))
	if _, err := watcher.LeaveAndAwaitView(ctx, group); err != nil {
		return err
	}
	return watch(ctx, watcher)
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
