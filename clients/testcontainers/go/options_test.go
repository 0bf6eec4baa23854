package spreadcontainer_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
	spreadcontainer "github.com/spread-sidecar/spread-sidecar/clients/testcontainers/go"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
)

func TestConfigEnvironmentAndDaemonName(t *testing.T) {
	sidecar := run(t,
		spreadcontainer.WithConfig(map[string]any{"mailbox": map[string]any{"leaseDefault": "7s"}}),
		spreadcontainer.WithDaemonName("node1"),
		testcontainers.WithEnv(map[string]string{"SPREAD_SIDECAR_MAILBOX_QUEUE_MAX_EVENTS": "1234"}))
	alice := connect(t, sidecar, spreadsidecar.MailboxOptions{})
	if alice.PrivateGroup() != "#alice#node1" {
		t.Error(alice.PrivateGroup())
	}
	if limits := alice.Limits(); limits.Lease != 7*time.Second || limits.Queue.MaxEvents != 1234 {
		t.Errorf("%+v", limits)
	}
}

func TestAMistakeInTheConfigurationIsReported(t *testing.T) {
	wrong := spreadcontainer.WithConfig(map[string]any{"mailbox": map[string]any{"leaseDefault": "soon"}})
	sidecar, err := spreadcontainer.Run(t.Context(), spreadcontainer.DefaultImage, wrong)
	if sidecar != nil || err == nil || !strings.Contains(err.Error(), "mailbox.leaseDefault") {
		t.Errorf("%v, %v", sidecar, err)
	}
}

func TestToken(t *testing.T) {
	sidecar := run(t, spreadcontainer.WithToken("a-token-for-this-test"))
	connect(t, sidecar, spreadsidecar.MailboxOptions{})
	if _, err := stranger(t, sidecar).Connect(t.Context(), spreadsidecar.MailboxOptions{}); !errors.Is(err, spreadsidecar.ErrCredentialMissing) {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	sidecar := run(t, spreadcontainer.WithTLS(localhostTLS(t)), spreadcontainer.WithToken("a-token-for-this-test"))
	connect(t, sidecar, spreadsidecar.MailboxOptions{})
	if version, err := stranger(t, sidecar).Version(t.Context()); err == nil {
		t.Errorf("without TLS: %v", version)
	}
}

// stranger is a client that knows only the target.
func stranger(t *testing.T, sidecar *spreadcontainer.SpreadSidecarContainer) *spreadsidecar.Sidecar {
	t.Helper()
	target, err := sidecar.GRPCTarget(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, err := spreadsidecar.New(spreadsidecar.Options{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func TestTwoSidecarsAtOneDaemon(t *testing.T) {
	together, err := network.New(t.Context())
	testcontainers.CleanupNetwork(t, together)
	if err != nil {
		t.Fatal(err)
	}
	there := network.WithNetwork(nil, together)
	type options = []testcontainers.ContainerCustomizer
	for name, with := range map[string]struct{ one, other options }{
		"by an alias":       {options{network.WithNetwork([]string{"one"}, together)}, options{there}},
		"by its short id":   {options{there}, options{there}},
		"without a network": {},
		"separate":          {options{there, spreadcontainer.WithSeparateDaemon()}, options{there}},
	} {
		t.Run(name, func(t *testing.T) {
			one := run(t, with.one...)
			daemon, err := one.SpreadDaemonInNetwork(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			other := run(t, append(with.other, spreadcontainer.WithDaemonAddresses(daemon))...)
			alice := connect(t, one, spreadsidecar.MailboxOptions{})
			bob := connect(t, other, spreadsidecar.MailboxOptions{PrivateName: "bob"})
			join(t, alice, "room")
			multicast(t, bob, "room", "over there")
			if message := next[*spreadsidecar.RegularMessage](t, alice); message.Sender != "#bob#localhost" {
				t.Error(message)
			}
			if _, err := other.SpreadDaemon(t.Context()); err == nil || !strings.Contains(err.Error(), "SpreadDaemon is not available") {
				t.Error(err)
			}
		})
	}
}

func TestMetrics(t *testing.T) {
	url, err := run(t).MetricsURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if page, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(page), "spread_sidecar_mailboxes") {
		t.Error(err, string(page))
	}
}

func TestAdminToken(t *testing.T) {
	sidecar := run(t)
	connect(t, sidecar, spreadsidecar.MailboxOptions{})
	client, err := sidecar.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for mailbox, err := range client.ListMailboxes(t.Context(), spreadsidecar.ListOptions{AdminToken: sidecar.AdminToken()}) {
		if err != nil || mailbox.PrivateGroup != "#alice#localhost" {
			t.Error(mailbox, err)
		}
		return
	}
	t.Error("no mailbox")
}

func TestNativeClientsReachTheDaemon(t *testing.T) {
	for name, opts := range map[string][]testcontainers.ContainerCustomizer{
		"inside": nil, "separate": {spreadcontainer.WithSeparateDaemon()},
	} {
		t.Run(name, func(t *testing.T) {
			daemon, err := run(t, opts...).SpreadDaemon(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			port, host, _ := strings.Cut(daemon, "@")
			connection, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
			// Version 5.0.1, with membership messages, private name "me". The daemon responds with its authentication
			// methods.
			if _, err := connection.Write([]byte{5, 0, 1, 1, 2, 'm', 'e'}); err != nil {
				t.Fatal(err)
			}
			answer := make([]byte, 5)
			if _, err := io.ReadFull(connection, answer); err != nil || string(answer) != "\x05NULL" {
				t.Errorf("%q, %v", answer, err)
			}
		})
	}
}
