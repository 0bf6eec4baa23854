package spreadcontainer_test

import (
	"testing"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
	spreadcontainer "github.com/spread-sidecar/spread-sidecar/clients/testcontainers/go"
	"github.com/testcontainers/testcontainers-go"
)

func TestAGreetingReachesTheGroup(t *testing.T) {
	ctx := t.Context()
	sidecar, err := spreadcontainer.Run(ctx, spreadcontainer.DefaultImage)
	testcontainers.CleanupContainer(t, sidecar)
	if err != nil {
		t.Fatal(err)
	}
	client, err := sidecar.Client(ctx)
	if err != nil {
		t.Fatal(err)
	}
	alice, err := client.Connect(ctx, spreadsidecar.MailboxOptions{PrivateName: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alice.JoinAndAwaitView(ctx, "greetings"); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.Multicast(ctx, spreadsidecar.AgreedMess, "greetings", []byte("hello, group"), 7); err != nil {
		t.Fatal(err)
	}
	for event, err := range alice.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if message, ok := event.(*spreadsidecar.RegularMessage); ok {
			if message.Sender != "#alice#localhost" || message.Text() != "hello, group" {
				t.Errorf("%s said %q", message.Sender, message.Text())
			}
			break
		}
	}
}
