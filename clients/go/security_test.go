package spreadsidecar

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
)

func TestTokensStayOnThisMachine(t *testing.T) {
	for target, near := range map[string]bool{
		"127.0.0.1:4813":      true,
		"127.8.9.1:1":         true,
		"localhost:4813":      true,
		"[::1]:4813":          true,
		"dns:///localhost:1":  true,
		"unix:/run/s.sock":    true,
		"sidecar:4813":        false,
		"10.0.0.1:4813":       false,
		"localhost.example:1": false,
		"127.0.0.1.example:1": false,
		"dns:///sidecar:4813": false,
		"[2001:db8::1]:4813":  false,
	} {
		where, err := parseTarget(target, "target")
		if err != nil {
			t.Fatal(err)
		}
		if got := where.isOnThisMachine(); got != near {
			t.Errorf("%s: %v", target, got)
		}
		for name, options := range map[string]Options{
			"token":  {Target: target, Token: "x"},
			"source": {Target: target, TokenSource: func(context.Context) (string, error) { return "x", nil }},
			"header": {Target: target, Headers: map[string]string{"Authorization": "x"}},
		} {
			sidecar, err := New(options)
			if err == nil {
				_ = sidecar.Close()
			}
			if near != (err == nil) || (!near && !errors.Is(err, ErrFieldInvalid)) {
				t.Errorf("%s, %s: %v", target, name, err)
			}
		}
		for _, options := range []Options{
			{Target: target, Token: "x", Insecure: true},
			{Target: target, Token: "x", TLS: &tls.Config{}},
		} {
			sidecar, err := New(options)
			if err != nil {
				t.Fatal(target, err)
			}
			_ = sidecar.Close()
		}
	}
}

func TestTokensThatAreNone(t *testing.T) {
	f := startFake(t, nil)
	for name, source := range map[string]func(context.Context) (string, error){
		"failing": func(context.Context) (string, error) { return "", errors.New("no file") },
		"empty":   func(context.Context) (string, error) { return " \n", nil },
		"no text": func(context.Context) (string, error) { return "a\nb", nil },
	} {
		sidecar, err := New(Options{Target: f.target, TokenSource: source})
		if err != nil {
			t.Fatal(err)
		}
		_, err = sidecar.Version(t.Context())
		var failure *SpreadError
		if !errors.As(err, &failure) || failure.Status != codes.Unauthenticated {
			t.Error(name, err)
		}
		_ = sidecar.Close()
	}
	if _, err := New(Options{Token: "x", TokenSource: func(context.Context) (string, error) { return "y", nil }}); err == nil {
		t.Error("two tokens")
	}
}

// certificate returns a self-signed certificate for 127.0.0.1.
func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func TestTLSWithACertificateOfTheClient(t *testing.T) {
	leavesNothing(t)
	cert, key := certificate(t)
	config, err := TLSFromPEM(cert, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: config.Certificates,
		ClientCAs:    config.RootCAs,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	})))
	pb.RegisterMailboxServiceServer(server, &fake{})
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	withoutCertificate, err := TLSFromPEM(cert, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		tls    *tls.Config
		worked bool
	}{{config, true}, {withoutCertificate, false}, {&tls.Config{}, false}, {nil, false}} {
		sidecar, err := New(Options{Target: listener.Addr().String(), TLS: one.tls})
		if err != nil {
			t.Fatal(err)
		}
		_, err = sidecar.Version(t.Context())
		if (err == nil) != one.worked {
			t.Error(err)
		}
		_ = sidecar.Close()
	}
	for name, err := range map[string]error{
		"ca":   second(TLSFromPEM([]byte("x"), nil, nil)),
		"key":  second(TLSFromPEM(cert, cert, nil)),
		"pair": second(TLSFromPEM(cert, cert, []byte("x"))),
	} {
		if !errors.Is(err, ErrFieldInvalid) {
			t.Error(name, err)
		}
	}
}

func second(_ *tls.Config, err error) error { return err }
