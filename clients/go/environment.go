package spreadsidecar

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"
)

const (
	targetVariable     = "SPREAD_SIDECAR_TARGET"
	tlsVariable        = "SPREAD_SIDECAR_TLS"
	caVariable         = "SPREAD_SIDECAR_TLS_CA"
	certVariable       = "SPREAD_SIDECAR_TLS_CERT"
	keyVariable        = "SPREAD_SIDECAR_TLS_KEY"
	serverNameVariable = "SPREAD_SIDECAR_TLS_SERVER_NAME"
	tokenFileVariable  = "SPREAD_SIDECAR_TOKEN_FILE"
	insecureVariable   = "SPREAD_SIDECAR_INSECURE"
)

// pemTLS has the TLS settings of the environment. A nil or empty member is not set.
type pemTLS struct {
	ca, cert, key []byte
	serverName    string
}

func (p *pemTLS) config() (*tls.Config, error) {
	config, err := TLSFromPEM(p.ca, p.cert, p.key)
	if err != nil {
		return nil, err
	}
	config.ServerName = p.serverName
	return config, nil
}

// completeOptions fills in options from environment variables if the program sets no target.
// docs/client-environment.md has the rules for all clients. If the program sets a target, the variables have
// no effect: a token must not go to a sidecar for which it is not intended. The returned TLS settings are nil
// if the environment or the options exclude TLS. It fails with FIELD_INVALID for an invalid variable or an
// unreadable PEM file.
func completeOptions(options Options, environment func(name string) string) (Options, *pemTLS, error) {
	if options.Target != "" {
		return options, nil, nil
	}
	options.Target = environment(targetVariable)
	var fromPEM *pemTLS
	if options.TLS == nil {
		var err error
		if fromPEM, err = tlsFrom(environment); err != nil {
			return options, nil, err
		}
	}
	if path := environment(tokenFileVariable); path != "" && options.Token == "" && options.TokenSource == nil {
		// Reads the file before each call, so that the token can change while the program runs.
		options.TokenSource = func(context.Context) (string, error) { return readToken(path) }
	}
	if !options.Insecure {
		var err error
		if options.Insecure, err = readSwitch(environment, insecureVariable); err != nil {
			return options, nil, err
		}
	}
	return options, fromPEM, nil
}

func tlsFrom(environment func(string) string) (*pemTLS, error) {
	isOn, err := readSwitch(environment, tlsVariable)
	if err != nil {
		return nil, err
	}
	p := &pemTLS{serverName: environment(serverNameVariable)}
	for _, file := range []struct {
		variable string
		content  *[]byte
	}{{caVariable, &p.ca}, {certVariable, &p.cert}, {keyVariable, &p.key}} {
		path := environment(file.variable)
		if path == "" {
			continue
		}
		isOn = true
		if *file.content, err = os.ReadFile(path); err != nil {
			return nil, fileError(file.variable, "PEM", path, err)
		}
	}
	if !isOn && p.serverName == "" {
		return nil, nil
	}
	if environment(keyVariable) == "" {
		// The private key may be in the file of the certificate.
		p.key = p.cert
	}
	return p, nil
}

func readToken(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil && !utf8.Valid(text) {
		err = errors.New("the text is not UTF-8")
	}
	if err != nil {
		return "", fileError(tokenFileVariable, "text", path, err)
	}
	for line := range strings.Lines(string(text)) {
		// The format of the sidecar's token files: lines may be comments, and a name may precede the token.
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			return words[len(words)-1], nil
		}
	}
	const bound = "the path of a file that contains a token"
	return "", optionError(tokenFileVariable, bound, fmt.Sprintf("%s must be %s; %s contains no token", tokenFileVariable, bound, path))
}

func fileError(variable, kind, path string, err error) error {
	reason := err
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		reason = pathError.Err
	}
	bound := fmt.Sprintf("the path of a readable %s file", kind)
	failure := optionError(variable, bound, fmt.Sprintf("%s must be %s; cannot read %s: %v", variable, bound, path, reason))
	failure.Cause = err
	return failure
}

func readSwitch(environment func(string) string, variable string) (bool, error) {
	switch value := environment(variable); strings.ToLower(value) {
	case "true", "1":
		return true, nil
	case "", "false", "0":
		return false, nil
	default:
		return false, fieldError(variable, "true, false, 1 or 0", value)
	}
}
