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

// pemTLS is what the environment says about TLS. A nil or empty member is not set.
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

// completeOptions fills in what the environment says where the program names no target: docs/client-environment.md has
// the rules for every client. A target of the program keeps the environment out: a token must not go to a sidecar that
// it is not for. The TLS of the environment is nil where the environment or the program's options rule it out.
// It fails with FIELD_INVALID for a variable with a wrong value and for a PEM file that cannot be read.
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
		// Read before each call, so that the token can be replaced while the program runs.
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
		// As in the sidecar's own token files: comments count for nothing, and a name may precede the token.
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			return words[len(words)-1], nil
		}
	}
	return "", fieldError(tokenFileVariable, "the path of a file with a token", path)
}

func fileError(variable, kind, path string, err error) error {
	reason := err
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		reason = pathError.Err
	}
	failure := fieldError(variable, fmt.Sprintf("the path of a readable %s file (%v)", kind, reason), path)
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
