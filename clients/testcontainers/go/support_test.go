package spreadcontainer_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
	spreadcontainer "github.com/spread-sidecar/spread-sidecar/clients/testcontainers/go"
	"github.com/testcontainers/testcontainers-go"
)

// run starts a sidecar and removes it at the end of the test.
func run(t *testing.T, opts ...testcontainers.ContainerCustomizer) *spreadcontainer.SpreadSidecarContainer {
	t.Helper()
	sidecar, err := spreadcontainer.Run(t.Context(), spreadcontainer.DefaultImage, opts...)
	testcontainers.CleanupContainer(t, sidecar)
	if err != nil {
		t.Fatal(err)
	}
	return sidecar
}

// connect opens a mailbox with the sidecar's client. The default name is alice.
func connect(
	t *testing.T, sidecar *spreadcontainer.SpreadSidecarContainer, options spreadsidecar.MailboxOptions,
) *spreadsidecar.Mailbox {
	t.Helper()
	client, err := sidecar.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if options.PrivateName == "" {
		options.PrivateName = "alice"
	}
	mailbox, err := client.Connect(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return mailbox
}

func join(t *testing.T, mailbox *spreadsidecar.Mailbox, group string) {
	t.Helper()
	if _, err := mailbox.JoinAndAwaitView(t.Context(), group); err != nil {
		t.Fatal(err)
	}
}

func multicast(t *testing.T, mailbox *spreadsidecar.Mailbox, group, text string) {
	t.Helper()
	if _, err := mailbox.Multicast(t.Context(), spreadsidecar.AgreedMess, group, []byte(text), 0); err != nil {
		t.Fatal(err)
	}
}

// next receives events until the first one of a kind.
func next[Kind spreadsidecar.Event](t *testing.T, mailbox *spreadsidecar.Mailbox) Kind {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		event, err := mailbox.Receive(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if found, ok := event.(Kind); ok {
			return found
		}
	}
}

// localhostTLS returns a self-signed certificate for localhost.
func localhostTLS(t *testing.T) spreadcontainer.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		DNSNames:              []string{"localhost"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return spreadcontainer.TLS{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
}
