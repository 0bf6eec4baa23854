package spreadsidecar

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// TLSFromPEM returns a configuration for [Options].TLS from PEM certificates. If ca is empty, the client
// trusts the machine's certificate authorities. cert and key are the client certificate and its private key.
// Pass both or neither.
func TLSFromPEM(ca, cert, key []byte) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(ca) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			return nil, fieldError("tls.ca", "certificates in PEM", "other content")
		}
	}
	if (len(cert) == 0) != (len(key) == 0) {
		return nil, fieldError("tls", "with both cert and key, or with neither", "one of them")
	}
	if len(cert) > 0 {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fieldError("tls.cert", "a certificate and its key in PEM", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// security has the security settings of a channel.
type security struct {
	credentials credentials.TransportCredentials
	token       func(ctx context.Context) (string, error)
	// tokenMayChange: the token is read again before each call.
	tokenMayChange bool
	private        bool
	target         string
}

func newSecurity(where sidecarAddress, options Options) (*security, error) {
	s := &security{credentials: insecure.NewCredentials(), target: options.Target, token: options.TokenSource}
	if options.TLS != nil {
		s.credentials = credentials.NewTLS(options.TLS)
	}
	s.private = options.TLS != nil || options.Insecure || where.isOnThisMachine()
	if options.Token != "" {
		if s.token != nil {
			return nil, fieldError("token", "unset together with tokenSource", "both")
		}
		s.token = func(context.Context) (string, error) { return options.Token, nil }
	}
	s.tokenMayChange = options.TokenSource != nil
	if s.token != nil {
		if err := s.checkTokenAllowed("token"); err != nil {
			return nil, err
		}
	}
	for name := range options.Headers {
		if strings.EqualFold(name, "authorization") {
			if err := s.checkTokenAllowed("headers.authorization"); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// checkTokenAllowed fails if others could read a token on this channel.
func (s *security) checkTokenAllowed(field string) error {
	if s.private {
		return nil
	}
	return fieldError(field, "sent over TLS, a Unix socket or loopback, or with Insecure", s.target)
}

// authorization returns the header of a call. Empty without a token.
func (s *security) authorization(ctx context.Context) (string, error) {
	if s.token == nil {
		return "", nil
	}
	token, err := s.token(ctx)
	if err != nil {
		message := "the token is not available: " + err.Error()
		return "", &SpreadError{Message: message, Status: codes.Unauthenticated, Outcome: OutcomeNotSent, Cause: err}
	}
	return bearer(token)
}

var headerText = regexp.MustCompile(`^[\x21-\x7e]+$`)

func bearer(token string) (string, error) {
	token = strings.TrimSpace(token)
	if !headerText.MatchString(token) {
		message := "the token must be 1 or more visible ASCII characters"
		return "", &SpreadError{Message: message, Status: codes.Unauthenticated, Outcome: OutcomeNotSent}
	}
	return "Bearer " + token, nil
}
