// Package spreadsidecar is the Go client of spread-sidecar: Spread's group communication over gRPC.
//
// A [Sidecar] is a channel to a sidecar. A [Mailbox] is a connection to a Spread daemon that the sidecar
// owns. Mailboxes join groups, multicast with a chosen service type, and receive messages and membership
// views in one order.
//
// All failures are of type [*SpreadError], which works with [errors.As] and [errors.Is]:
//
//	if errors.Is(err, spreadsidecar.ErrRejectNotUnique) { … }
//
// All types are safe for concurrent use. Each goroutine of this package ends with the object that started it.
//
// Names are bytes in Spread. Here they are strings whose characters U+0000 to U+00FF are those bytes.
package spreadsidecar
