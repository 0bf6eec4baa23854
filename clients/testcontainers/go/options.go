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

// settings is what the options of this package say.
type settings struct {
	config          map[string]any
	daemonName      string
	daemonAddresses []string
	separateDaemon  bool
	tls             *TLS
	token           string
}

// Option is an option of this package. [Run] takes those of testcontainers-go too.
type Option func(*settings)

var _ testcontainers.ContainerCustomizer = Option(nil)

// Customize does nothing: [Run] itself knows what to do with an Option. It makes an Option one of Testcontainers' too.
func (Option) Customize(*testcontainers.GenericContainerRequest) error { return nil }

// WithConfig gives the sidecar its configuration, as its YAML has it:
//
//	WithConfig(map[string]any{"mailbox": map[string]any{"leaseDefault": "5s"}})
//
// What this package sets itself wins: addresses, daemon, TLS, token. Single options can be given as SPREAD_SIDECAR_…
// variables too, with [testcontainers.WithEnv].
func WithConfig(config map[string]any) Option {
	return func(s *settings) { s.config = config }
}

// WithDaemonName names the sidecar's own daemon, as in #alice#name. Default: localhost.
func WithDaemonName(name string) Option {
	return func(s *settings) { s.daemonName = name }
}

// WithDaemonAddresses lets the sidecar use Spread daemons of yours, as port@host that the container can reach, instead of its
// own.
func WithDaemonAddresses(addresses ...string) Option {
	return func(s *settings) { s.daemonAddresses = addresses }
}

// WithSeparateDaemon runs the sidecar's own daemon in a second container of the same image, so that it can be paused.
func WithSeparateDaemon() Option {
	return func(s *settings) { s.separateDaemon = true }
}

// TLS is what the sidecar speaks TLS with. Everything is PEM.
type TLS struct {
	Certificate []byte
	// Key is the certificate's private key.
	Key []byte
	// CA is the authority that the client trusts. Default: Certificate.
	CA []byte
	// ServerName is the name that Certificate is for, whatever host Docker publishes ports on. Default: localhost.
	ServerName string
}

// client is what the sidecar's client makes TLS with.
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

// WithTLS makes the sidecar speak TLS, and its client trust it.
func WithTLS(with TLS) Option {
	return func(s *settings) { s.tls = &with }
}

// WithToken sets the token, of 16 characters at least, that every call must bring; the client does.
func WithToken(token string) Option {
	return func(s *settings) { s.token = token }
}

// environment is what the sidecar is told. Its daemon is another matter.
func (s *settings) environment(adminToken string) map[string]string {
	env := map[string]string{
		"SPREAD_SIDECAR_GRPC_LISTEN":  "0.0.0.0:4813",
		"SPREAD_SIDECAR_ADMIN_LISTEN": "0.0.0.0:4814",
		// Everything is reached through a Docker network of the test.
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

// daemonEnvironment tells the sidecar to use these daemons, or one inside of it if there are none.
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

// files is what is copied into the container. Readable by the numeric user that the image runs with: a key here is for a test
// only.
func (s *settings) files() ([]testcontainers.ContainerFile, error) {
	var files []testcontainers.ContainerFile
	add := func(path string, content []byte) {
		files = append(files, testcontainers.ContainerFile{
			Reader: bytes.NewReader(content), ContainerFilePath: path, FileMode: 0o644,
		})
	}
	if s.config != nil {
		// Whatever is JSON is YAML.
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
