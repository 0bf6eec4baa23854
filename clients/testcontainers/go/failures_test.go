package spreadcontainer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
	spreadcontainer "github.com/spread-sidecar/spread-sidecar/clients/testcontainers/go"
	"github.com/testcontainers/testcontainers-go"
)

func TestADroppedMailboxEndsAsIfTheDaemonHadCutIt(t *testing.T) {
	sidecar := run(t)
	alice := connect(t, sidecar, spreadsidecar.MailboxOptions{})
	bob := connect(t, sidecar, spreadsidecar.MailboxOptions{PrivateName: "bob"})
	if err := sidecar.DropMailbox(t.Context(), alice.ID()); err != nil {
		t.Fatal(err)
	}
	if event, err := alice.Receive(t.Context()); !errors.Is(err, spreadsidecar.ConnectionClosed) {
		t.Errorf("received %v, %v", event, err)
	}
	// Other mailboxes are not affected.
	join(t, bob, "room")
}

func TestAMailboxThatIsNotThereCanNotBeDropped(t *testing.T) {
	err := run(t).DropMailbox(t.Context(), "#absent#localhost")
	if err == nil || !strings.Contains(err.Error(), "#absent#localhost was not dropped: the mailbox does not exist") {
		t.Error(err)
	}
}

func TestADaemonInsideTheSidecarCanNotBePaused(t *testing.T) {
	sidecar := run(t)
	for _, failure := range []error{sidecar.PauseDaemon(t.Context()), sidecar.ResumeDaemon(t.Context())} {
		if !errors.Is(failure, spreadcontainer.ErrNoSeparateDaemon) {
			t.Error(failure)
		}
	}
}

func TestASeparateDaemonHasTheName(t *testing.T) {
	sidecar := run(t, spreadcontainer.WithSeparateDaemon(), spreadcontainer.WithDaemonName("node1"))
	if alice := connect(t, sidecar, spreadsidecar.MailboxOptions{}); alice.PrivateGroup() != "#alice#node1" {
		t.Error(alice.PrivateGroup())
	}
}

func TestASeparateDaemonExcludesDaemonAddresses(t *testing.T) {
	both := []testcontainers.ContainerCustomizer{
		spreadcontainer.WithSeparateDaemon(), spreadcontainer.WithDaemonAddresses("4803@elsewhere"),
	}
	if _, err := spreadcontainer.Run(t.Context(), spreadcontainer.DefaultImage, both...); err == nil || !strings.Contains(err.Error(), "are both set; set only one of them") {
		t.Error(err)
	}
}

func TestAMissingImageIsNamedAndHowToBuildIt(t *testing.T) {
	const name = "spread-sidecar-missing.invalid/spread-sidecar:none"
	for _, opts := range [][]testcontainers.ContainerCustomizer{nil, {spreadcontainer.WithSeparateDaemon()}} {
		_, err := spreadcontainer.Run(t.Context(), name, opts...)
		var missing *spreadcontainer.MissingImageError
		if !errors.As(err, &missing) || missing.Image != name || missing.Err == nil {
			t.Fatal(err)
		}
		const sentence = "the image " + name + `; build spread-sidecar:test with "npm run image"`
		if !strings.Contains(err.Error(), sentence) {
			t.Error(err)
		}
	}
}

func TestTerminateLeavesNothingEvenOfAPausedDaemon(t *testing.T) {
	ctx := t.Context()
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer docker.Close()
	sidecar := run(t, spreadcontainer.WithSeparateDaemon())
	connect(t, sidecar, spreadsidecar.MailboxOptions{})
	networks, err := sidecar.Networks(ctx)
	if err != nil || len(networks) != 1 {
		t.Fatal(networks, err)
	}
	inspected, err := docker.NetworkInspect(ctx, networks[0], client.NetworkInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	containers := inspected.Network.Containers
	if _, ours := containers[sidecar.GetContainerID()]; !ours || len(containers) != 2 {
		t.Fatal(containers)
	}

	if err := sidecar.PauseDaemon(ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := sidecar.Terminate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for id := range containers {
		if _, err := docker.ContainerInspect(ctx, id, client.ContainerInspectOptions{}); !errdefs.IsNotFound(err) {
			t.Error(id, err)
		}
	}
	if _, err := docker.NetworkInspect(ctx, networks[0], client.NetworkInspectOptions{}); !errdefs.IsNotFound(err) {
		t.Error(err)
	}
}
