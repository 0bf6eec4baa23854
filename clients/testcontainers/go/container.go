package spreadcontainer

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// The ports in the container.
const (
	grpcPort   = "4813/tcp"
	adminPort  = "4814/tcp"
	daemonPort = "4803/tcp"
)

// SpreadSidecarContainer is a sidecar in a container. Its methods return addresses for programs outside of
// Docker, unless their comment says otherwise.
type SpreadSidecarContainer struct {
	testcontainers.Container
	settings   settings
	adminToken string
	daemon     *separateDaemon

	mu      sync.Mutex
	client  *spreadsidecar.Sidecar
	removed bool
}

// Run starts a container of the image with a sidecar, and waits until the sidecar is ready. An empty image
// means [DefaultImage]. The sidecar uses its embedded daemon, unless an option says otherwise. Run also accepts
// the options of testcontainers-go, such as [testcontainers.WithEnv], and of its package network.
//
// If Run fails, it removes everything that it started. If the sidecar does not become ready, the error contains
// its log. If the image is missing, errors.As finds a [*MissingImageError] in the error.
func Run(ctx context.Context, image string, opts ...testcontainers.ContainerCustomizer) (*SpreadSidecarContainer, error) {
	image = cmp.Or(image, DefaultImage)
	c := &SpreadSidecarContainer{adminToken: rand.Text()}
	for _, opt := range opts {
		if own, ok := opt.(Option); ok {
			own(&c.settings)
		}
	}
	if c.settings.separateDaemon && len(c.settings.daemonAddresses) > 0 {
		return nil, errors.New("WithSeparateDaemon and WithDaemonAddresses are both set; set only one of them")
	}
	files, err := c.settings.files()
	if err != nil {
		return nil, fmt.Errorf("cannot write the configuration as JSON: %w", err)
	}
	all := []testcontainers.ContainerCustomizer{
		// The image's own command has flags with listen addresses, which would override the environment.
		testcontainers.WithCmd("serve"),
		testcontainers.WithExposedPorts(grpcPort, adminPort, daemonPort),
		testcontainers.WithEnv(c.settings.environment(c.adminToken)),
		testcontainers.WithFiles(files...),
		testcontainers.WithWaitStrategy(
			wait.ForHTTP("/readyz").WithPort(adminPort).WithStartupTimeout(time.Minute).WithPollInterval(50 * time.Millisecond)),
	}
	all = append(all, opts...)
	if c.settings.separateDaemon {
		// The last option, because it needs the sidecar's network.
		all = append(all, testcontainers.CustomizeRequestOption(
			func(request *testcontainers.GenericContainerRequest) (err error) {
				c.daemon, err = startSeparateDaemon(ctx, image, &c.settings, request)
				return err
			}))
	}
	container, err := testcontainers.Run(ctx, image, all...)
	if container != nil {
		c.Container = container
	}
	if err != nil {
		if isMissing(ctx, image) {
			err = &MissingImageError{Image: image, Err: err}
		} else {
			err = fmt.Errorf("the sidecar did not become ready: %w%s", err, logOf(ctx, c.Container))
		}
		return nil, errors.Join(err, c.Terminate(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// Terminate closes the client and removes everything that [Run] started. Further calls have no effect.
func (c *SpreadSidecarContainer) Terminate(ctx context.Context, opts ...testcontainers.TerminateOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var failures []error
	if c.client != nil {
		failures = append(failures, c.client.Close())
		c.client = nil
	}
	if c.Container != nil && !c.removed {
		err := c.Container.Terminate(ctx, opts...)
		c.removed = err == nil
		failures = append(failures, err)
	}
	if c.daemon != nil {
		failures = append(failures, c.daemon.remove(ctx, opts...))
	}
	return errors.Join(failures...)
}

// GRPCTarget returns the address of the gRPC service, host:port.
func (c *SpreadSidecarContainer) GRPCTarget(ctx context.Context) (string, error) {
	return c.PortEndpoint(ctx, grpcPort, "")
}

// MetricsURL returns the URL of the metrics.
func (c *SpreadSidecarContainer) MetricsURL(ctx context.Context) (string, error) {
	return c.adminURL(ctx, "/metrics")
}

func (c *SpreadSidecarContainer) adminURL(ctx context.Context, path string) (string, error) {
	endpoint, err := c.PortEndpoint(ctx, adminPort, "http")
	return endpoint + path, err
}

// AdminToken returns the admin token, a random value for each container.
func (c *SpreadSidecarContainer) AdminToken() string { return c.adminToken }

// SpreadDaemon returns the daemon's Spread name, port@host, for native Spread clients.
func (c *SpreadSidecarContainer) SpreadDaemon(ctx context.Context) (string, error) {
	container := c.Container
	if c.daemon != nil {
		container = c.daemon.container
	}
	if err := c.needOwnDaemon("SpreadDaemon"); err != nil {
		return "", err
	}
	endpoint, err := container.PortEndpoint(ctx, daemonPort, "")
	if err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(endpoint)
	return port + "@" + host, err
}

// SpreadDaemonInNetwork returns the daemon's Spread name for containers in the sidecar's Docker network.
func (c *SpreadSidecarContainer) SpreadDaemonInNetwork(ctx context.Context) (string, error) {
	if err := c.needOwnDaemon("SpreadDaemonInNetwork"); err != nil {
		return "", err
	}
	if c.daemon != nil {
		return c.daemon.inNetwork, nil
	}
	host, err := c.hostInNetwork(ctx)
	return "4803@" + host, err
}

// hostInNetwork returns the host name of this container for other containers: an alias or the short ID. On
// Docker's default network, containers have no names. There, hostInNetwork returns the IP address.
func (c *SpreadSidecarContainer) hostInNetwork(ctx context.Context) (string, error) {
	aliases, err := c.NetworkAliases(ctx)
	if err != nil {
		return "", err
	}
	for network, names := range aliases {
		if network == "bridge" {
			continue
		}
		if len(names) > 0 {
			return names[0], nil
		}
		return c.GetContainerID()[:12], nil
	}
	return c.ContainerIP(ctx)
}

func (c *SpreadSidecarContainer) needOwnDaemon(what string) error {
	if addresses := c.settings.daemonAddresses; len(addresses) > 0 {
		return fmt.Errorf("%s is not available: the sidecar uses the daemon %s from WithDaemonAddresses; connect to that daemon directly",
			what, addresses[0])
	}
	return nil
}

// ClientOptions returns the target, TLS and token as client options, to create another client.
func (c *SpreadSidecarContainer) ClientOptions(ctx context.Context) (spreadsidecar.Options, error) {
	target, err := c.GRPCTarget(ctx)
	if err != nil {
		return spreadsidecar.Options{}, err
	}
	// Docker may be on another machine, but the token is only for this test.
	options := spreadsidecar.Options{Target: target, Token: c.settings.token, Insecure: c.settings.tls == nil}
	if c.settings.tls != nil {
		options.TLS, err = c.settings.tls.client()
	}
	return options, err
}

// Client returns a client for this sidecar. Each call returns the same client. Terminate closes the client.
func (c *SpreadSidecarContainer) Client(ctx context.Context) (*spreadsidecar.Sidecar, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil {
		return c.client, nil
	}
	options, err := c.ClientOptions(ctx)
	if err != nil {
		return nil, err
	}
	c.client, err = spreadsidecar.New(options)
	return c.client, err
}

// logOf returns the output of the container, for error messages.
func logOf(ctx context.Context, container testcontainers.Container) string {
	if container == nil {
		return ""
	}
	reader, err := container.Logs(context.WithoutCancel(ctx))
	if err != nil {
		return ""
	}
	defer reader.Close()
	text, _ := io.ReadAll(reader)
	return "\n" + strings.TrimSpace(string(text))
}
