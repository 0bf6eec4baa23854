package spreadcontainer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
	spreadcontainer "github.com/spread-sidecar/spread-sidecar/clients/testcontainers/go"
)

func TestADroppedMailboxRejoinsItsGroups(t *testing.T) {
	ctx := t.Context()
	sidecar := run(t)
	alice := connect(t, sidecar, spreadsidecar.MailboxOptions{Reconnect: &spreadsidecar.ReconnectOptions{}})
	join(t, alice, "greetings")

	if err := sidecar.DropMailbox(ctx, alice.PrivateGroup()); err != nil {
		t.Fatal(err)
	}
	lost := next[*spreadsidecar.ConnectionLost](t, alice)
	restored := next[*spreadsidecar.ConnectionRestored](t, alice)
	if len(lost.Groups) != 1 || len(restored.Groups) != 1 || restored.Groups[0] != "greetings" {
		t.Errorf("was in %v, is in %v", lost.Groups, restored.Groups)
	}

	multicast(t, alice, "greetings", "here again")
	if text := next[*spreadsidecar.RegularMessage](t, alice).Text(); text != "here again" {
		t.Error(text)
	}
}

func TestAPausedDaemonDeliversNothing(t *testing.T) {
	ctx := t.Context()
	sidecar := run(t, spreadcontainer.WithSeparateDaemon())
	alice := connect(t, sidecar, spreadsidecar.MailboxOptions{})
	join(t, alice, "greetings")
	next[*spreadsidecar.ViewMessage](t, alice)

	if err := sidecar.PauseDaemon(ctx); err != nil {
		t.Fatal(err)
	}
	multicast(t, alice, "greetings", "is anybody there?")
	soon, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	if event, err := alice.Receive(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("received %v, %v", event, err)
	}

	if err := sidecar.ResumeDaemon(ctx); err != nil {
		t.Fatal(err)
	}
	if text := next[*spreadsidecar.RegularMessage](t, alice).Text(); text != "is anybody there?" {
		t.Error(text)
	}
}
