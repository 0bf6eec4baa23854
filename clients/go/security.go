package spreadsidecar

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
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
			return nil, optionError("tls.ca", "certificates in PEM", "tls.ca contains no certificate in PEM")
		}
	}
	if (len(cert) == 0) != (len(key) == 0) {
		set, unset := "tls.cert", "tls.key"
		if len(cert) == 0 {
			set, unset = unset, set
		}
		message := set + " is set without " + unset + "; set both or neither"
		return nil, optionError("tls", "with both cert and key, or with neither", message)
	}
	if len(cert) > 0 {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, optionError("tls.cert", "a certificate and its key in PEM", fmt.Sprintf("tls has an invalid certificate or key: %v", err))
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
			return nil, optionError("token", "not set together with tokenSource", "Token and TokenSource are both set; set only one of them")
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
	message := fmt.Sprintf("%s must not be sent to %s without TLS; "+
		"use TLS, a Unix socket or a loopback address, or set Insecure: true to allow this", nameInMessages(field), s.target)
	return optionError(field, "sent over TLS, a Unix socket or a loopback address, or with Insecure: true", message)
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
		message := "the token must consist of 1 or more visible ASCII characters"
		return "", &SpreadError{Message: message, Status: codes.Unauthenticated, Outcome: OutcomeNotSent}
	}
	return "Bearer " + token, nil
}
