// Package spreadsidecar is the Go client of spread-sidecar, for Spread group communication over gRPC.
//
// A [Sidecar] is a channel to a sidecar. A [Mailbox] is a connection to a Spread daemon that the sidecar
// owns. A mailbox joins groups and sends messages with a service type. It receives messages and views in one
// order.
//
// All failures are of type [*SpreadError], which works with [errors.As] and [errors.Is]:
//
//	if errors.Is(err, spreadsidecar.ErrRejectNotUnique) { … }
//
// All types are safe for concurrent use. When an object is closed, its goroutines end.
//
// In Spread, names are bytes. In this package, names are strings: each byte is one character from U+0000 to
// U+00FF.
package spreadsidecar
