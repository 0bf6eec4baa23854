// Package spreadcontainer is the Testcontainers module of spread-sidecar. It starts a sidecar with a Spread
// daemon in a container, for tests. Start with [Run].
package spreadcontainer
