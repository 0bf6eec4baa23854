// Package spreadsidecar is the Go client of spread-sidecar: Spread's group communication over gRPC.
//
// A [Sidecar] is one channel to a sidecar, a [Mailbox] a connection to a Spread daemon that the sidecar keeps.
// Mailboxes join groups, multicast with a chosen guarantee, and receive messages and membership views in one order.
//
// Everything that fails gives a [*SpreadError], which works with [errors.As] and [errors.Is]:
//
//	if errors.Is(err, spreadsidecar.ErrRejectNotUnique) { … }
//
// All types are safe for use by several goroutines. Every goroutine of this package ends with the object that began it.
//
// Names are bytes in Spread. Here they are strings whose characters U+0000 to U+00FF are those bytes.
package spreadsidecar
