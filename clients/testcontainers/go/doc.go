// Package spreadcontainer is the Testcontainers module of spread-sidecar: a sidecar with a Spread daemon in a container, for
// the time of a test. Begin with [Run].
package spreadcontainer
