package spreadsidecar

import (
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

const (
	portsHint = "check that the port is the gRPC port (4813 by default), not the admin port (4814 by default)"
	checkHint = "check that a sidecar listens there"
	// lastAttempt precedes the connection error in gRPC's message of a call that waited for a connection.
	lastAttempt = "latest balancer error: "
)

// endpoint has the properties of a channel that its errors depend on.
type endpoint struct {
	// name is the target in error messages.
	name   string
	target sidecarAddress
	hasTLS bool
}

// explain converts an error of gRPC. Without a peer, the call had no connection, so that nothing was sent.
func (e *endpoint) explain(err error, p *peer.Peer) *SpreadError {
	if known, ok := err.(*SpreadError); ok {
		return known
	}
	failure := toSpreadError(err)
	if failure.Reason != "" {
		return failure
	}
	switch {
	case failure.Status == codes.Unavailable && p.Addr == nil:
		return e.unreachable(status.Convert(err).Message())
	case failure.Status == codes.Unimplemented:
		return e.unknownCall(err)
	}
	return failure
}

// unknownCall is the error of a call that the server does not implement.
func (e *endpoint) unknownCall(cause error) *SpreadError {
	return &SpreadError{
		Message: fmt.Sprintf("the server at %s does not support this call; %s; "+
			"update the sidecar if it is older than this client", e.name, portsHint),
		Status:   codes.Unimplemented,
		Reason:   ErrNotASidecar,
		Domain:   SidecarDomain,
		Metadata: map[string]string{"target": e.name},
		Outcome:  OutcomeNotSent,
		Cause:    cause,
	}
}

// unreachable is the error of a failed connection, from gRPC's text.
func (e *endpoint) unreachable(text string) *SpreadError {
	cause, why := e.why(text)
	return &SpreadError{
		Message:   fmt.Sprintf("the sidecar at %s cannot be reached: %s", e.name, why),
		Status:    codes.Unavailable,
		Reason:    ErrSidecarUnreachable,
		Domain:    SidecarDomain,
		Metadata:  map[string]string{"target": e.name, "cause": cause},
		Retryable: true,
		Outcome:   OutcomeNotSent,
	}
}

func (e *endpoint) why(text string) (cause, why string) {
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(text, part) {
				return true
			}
		}
		return false
	}
	switch {
	case has("name resolver error", "no such host", "record lookup error", "produced zero addresses"):
		return "name-resolution", fmt.Sprintf("the host name \"%s\" cannot be resolved", e.target.host)
	case has("connection refused"):
		return "connection-refused", "connection refused; " + checkHint
	case has("no such file or directory"):
		return "no-socket", "no such socket file; " + checkHint
	case has("permission denied"):
		return "permission-denied", "permission denied"
	case has("no route to host", "network is unreachable", "i/o timeout"):
		return "no-route", detailOf(text) + "; " + checkHint
	case !e.hasTLS && has("server preface", "connection reset", "EOF", "broken pipe"):
		return "not-grpc", "the port does not accept gRPC without TLS; set the option tls if the sidecar uses TLS, and " + portsHint
	case has("x509:", "failed to verify certificate"):
		_, detail, _ := strings.Cut(text, "tls: failed to verify certificate: ")
		if detail == "" {
			detail = detailOf(text)
		}
		return "tls-certificate", fmt.Sprintf("the client rejects the sidecar's certificate (%s); "+
			"set the expected certificate authority or server name with the option tls", strings.Trim(detail, "\""))
	case has("does not look like a TLS handshake"):
		return "tls-not-offered", "the port does not accept TLS; set the option tls only if the sidecar uses TLS, and " + portsHint
	}
	return "other", detailOf(text)
}

// detailOf returns the part of gRPC's text after its fixed prefix.
func detailOf(text string) string {
	_, detail, found := strings.Cut(text, "desc = ")
	if !found {
		return text
	}
	return strings.Trim(detail, "\"")
}
