package spreadcontainer

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
)

// separateDaemon is a daemon in a separate container.
type separateDaemon struct {
	container testcontainers.Container
	// network is the network that was created for it, or nil.
	network *testcontainers.DockerNetwork
	// inNetwork is its Spread name in the network.
	inNetwork string
	paused    bool
}

// startSeparateDaemon starts a daemon in the network of the requested sidecar, and configures the sidecar for
// it. If it fails, it also returns what the caller must remove.
func startSeparateDaemon(
	ctx context.Context, image string, s *settings, sidecar *testcontainers.GenericContainerRequest,
) (*separateDaemon, error) {
	daemon := &separateDaemon{}
	if len(sidecar.Networks) == 0 {
		made, err := network.New(ctx)
		if err != nil {
			return daemon, fmt.Errorf("cannot create a network for the separate daemon: %w", err)
		}
		daemon.network = made
		sidecar.Networks = []string{made.Name}
	}
	// Several sidecars may share a network.
	alias := "spread-" + rand.Text()[:8]
	daemon.inNetwork = "4803@" + alias
	command := []string{"daemon", "--listen", "0.0.0.0", "--port", "4803", "--socket", "off"}
	if s.daemonName != "" {
		command = append(command, "--name", s.daemonName)
	}
	container, err := testcontainers.Run(ctx, image,
		testcontainers.WithCmd(command...),
		testcontainers.WithExposedPorts(daemonPort),
		network.WithNetworkName([]string{alias}, sidecar.Networks[0]),
	)
	if container != nil {
		daemon.container = container
	}
	if err != nil {
		return daemon, fmt.Errorf("cannot start the separate daemon: %w", err)
	}
	maps.Copy(sidecar.Env, s.daemonEnvironment([]string{daemon.inNetwork}))
	return daemon, nil
}

// pause pauses or resumes the daemon.
func (d *separateDaemon) pause(ctx context.Context, paused bool) error {
	if d.paused == paused {
		return nil
	}
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return err
	}
	defer docker.Close()
	if paused {
		_, err = docker.ContainerPause(ctx, d.container.GetContainerID(), client.ContainerPauseOptions{})
	} else {
		_, err = docker.ContainerUnpause(ctx, d.container.GetContainerID(), client.ContainerUnpauseOptions{})
	}
	if err == nil {
		d.paused = paused
	}
	return err
}

// remove removes the container and then the network.
func (d *separateDaemon) remove(ctx context.Context, opts ...testcontainers.TerminateOption) error {
	if d.container != nil {
		// A paused process cannot stop.
		if err := d.pause(ctx, false); err != nil {
			return err
		}
		if err := d.container.Terminate(ctx, opts...); err != nil {
			return err
		}
		d.container = nil
	}
	if d.network != nil {
		if err := d.network.Remove(ctx); err != nil {
			return err
		}
		d.network = nil
	}
	return nil
}
