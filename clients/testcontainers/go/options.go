package spreadcontainer

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"maps"
	"strings"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
	"github.com/testcontainers/testcontainers-go"
)

const (
	configPath      = "/etc/spread-sidecar-test/config.yaml"
	certificatePath = "/etc/spread-sidecar-test/tls.crt"
	keyPath         = "/etc/spread-sidecar-test/tls.key"
)

// settings has the options of this package.
type settings struct {
	config          map[string]any
	daemonName      string
	daemonAddresses []string
	separateDaemon  bool
	tls             *TLS
	token           string
}

// Option is an option of this package. [Run] also accepts the options of testcontainers-go.
type Option func(*settings)

var _ testcontainers.ContainerCustomizer = Option(nil)

// Customize does nothing, because [Run] applies the Option. With this method, Option implements
// [testcontainers.ContainerCustomizer].
func (Option) Customize(*testcontainers.GenericContainerRequest) error { return nil }

// WithConfig sets the sidecar's configuration, with the keys of its YAML file:
//
//	WithConfig(map[string]any{"mailbox": map[string]any{"leaseDefault": "5s"}})
//
// The listen addresses, daemon, TLS and token that this package sets override the configuration. You can set
// single options with [testcontainers.WithEnv], as SPREAD_SIDECAR_… variables.
func WithConfig(config map[string]any) Option {
	return func(s *settings) { s.config = config }
}

// WithDaemonName sets the name of the embedded daemon, which is the last part of a private group such as
// #alice#localhost. Default: localhost.
func WithDaemonName(name string) Option {
	return func(s *settings) { s.daemonName = name }
}

// WithDaemonAddresses makes the sidecar use these Spread daemons instead of its embedded daemon. Each address
// has the form port@host. The container must be able to reach it.
func WithDaemonAddresses(addresses ...string) Option {
	return func(s *settings) { s.daemonAddresses = addresses }
}

// WithSeparateDaemon runs the daemon in a second container of the same image, so that a test can pause the
// daemon.
func WithSeparateDaemon() Option {
	return func(s *settings) { s.separateDaemon = true }
}

// TLS has the certificate of a sidecar. Certificate, Key and CA are in PEM.
type TLS struct {
	Certificate []byte
	// Key is the private key of the certificate.
	Key []byte
	// CA is the certificate authority that the client trusts. Default: Certificate.
	CA []byte
	// ServerName is the name that the client expects in Certificate. It does not depend on the host on which
	// Docker publishes ports. Default: localhost.
	ServerName string
}

// client returns the TLS configuration of the sidecar's client.
func (t *TLS) client() (*tls.Config, error) {
	trusted := t.CA
	if len(trusted) == 0 {
		trusted = t.Certificate
	}
	config, err := spreadsidecar.TLSFromPEM(trusted, nil, nil)
	if err == nil {
		config.ServerName = cmp.Or(t.ServerName, "localhost")
	}
	return config, err
}

// WithTLS makes the sidecar use TLS. The container's client trusts the certificate.
func WithTLS(with TLS) Option {
	return func(s *settings) { s.tls = &with }
}

// WithToken sets the client token, at least 16 characters. The container's client sends the token.
func WithToken(token string) Option {
	return func(s *settings) { s.token = token }
}

// environment returns the environment variables of the sidecar, without those of the daemon.
func (s *settings) environment(adminToken string) map[string]string {
	env := map[string]string{
		"SPREAD_SIDECAR_GRPC_LISTEN":  "0.0.0.0:4813",
		"SPREAD_SIDECAR_ADMIN_LISTEN": "0.0.0.0:4814",
		// All connections use a Docker network of the test.
		"SPREAD_SIDECAR_INSECURE":                "true",
		"SPREAD_SIDECAR_ADMIN_TOKEN":             adminToken,
		"SPREAD_SIDECAR_ADMIN_FAILURE_INJECTION": "true",
	}
	if s.config != nil {
		env["SPREAD_SIDECAR_CONFIG"] = configPath
	}
	if s.token != "" {
		env["SPREAD_SIDECAR_GRPC_TOKENS"] = s.token
	}
	if s.tls != nil {
		env["SPREAD_SIDECAR_GRPC_TLS_CERT"] = certificatePath
		env["SPREAD_SIDECAR_GRPC_TLS_KEY"] = keyPath
	}
	maps.Copy(env, s.daemonEnvironment(s.daemonAddresses))
	return env
}

// daemonEnvironment returns the variables that select these daemons, or the embedded daemon if there are
// none.
func (s *settings) daemonEnvironment(addresses []string) map[string]string {
	if len(addresses) > 0 {
		return map[string]string{
			"SPREAD_SIDECAR_EMBEDDED_DAEMON":  "false",
			"SPREAD_SIDECAR_DAEMON_ADDRESSES": strings.Join(addresses, ","),
		}
	}
	env := map[string]string{
		"SPREAD_SIDECAR_EMBEDDED_DAEMON": "true",
		"SPREAD_SIDECAR_EMBEDDED_LISTEN": "0.0.0.0:4803",
		"SPREAD_SIDECAR_EMBEDDED_SOCKET": "off",
	}
	if s.daemonName != "" {
		env["SPREAD_SIDECAR_EMBEDDED_NAME"] = s.daemonName
	}
	return env
}

// files returns the files in the container. The image's numeric user must be able to read them. The key is
// only for this test.
func (s *settings) files() ([]testcontainers.ContainerFile, error) {
	var files []testcontainers.ContainerFile
	add := func(path string, content []byte) {
		files = append(files, testcontainers.ContainerFile{
			Reader: bytes.NewReader(content), ContainerFilePath: path, FileMode: 0o644,
		})
	}
	if s.config != nil {
		// JSON is valid YAML.
		text, err := json.Marshal(s.config)
		if err != nil {
			return nil, err
		}
		add(configPath, text)
	}
	if s.tls != nil {
		add(certificatePath, s.tls.Certificate)
		add(keyPath, s.tls.Key)
	}
	return files, nil
}
