// Package rawcall lets the conformance driver make calls that the API of spreadsidecar does not offer.
package rawcall

import "context"

// Unary makes a unary call of MailboxService with a body as it is, over the channel of a *spreadsidecar.Sidecar, with its
// deadline, headers and conversion of errors. Set by spreadsidecar.
var Unary func(ctx context.Context, sidecar any, method string, body []byte) ([]byte, error)
