package spreadsidecar

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
)

// targetForms has the target forms of all clients. clients/README.md describes them.
const targetForms = "host:port, [ipv6-address]:port, dns:host:port, ipv4:address:port, ipv6:[address]:port or unix:path"

const (
	// maxPathBytes is the maximum length of the path in a Unix socket address.
	maxPathBytes      = 107
	maxHostCharacters = 253
	maxPort           = 65535
	// defaultPort is the default gRPC port of a sidecar.
	defaultPort = 4813
)

// sidecarAddress is the address of a sidecar: the path of a Unix socket, or a host and a port.
type sidecarAddress struct {
	path string
	host string
	port int
}

// parseTarget parses a target. field is the option or environment variable with the target, for error
// messages.
func parseTarget(text, field string) (sidecarAddress, error) {
	t, why, hint := readTarget(text)
	if why == "" {
		return t, nil
	}
	return sidecarAddress{}, &SpreadError{
		Message:  fmt.Sprintf("%s \"%s\" %s; expected %s%s", field, text, why, targetForms, hint),
		Status:   codes.InvalidArgument,
		Reason:   ErrFieldInvalid,
		Domain:   SidecarDomain,
		Metadata: map[string]string{"field": field, "bound": targetForms},
		Outcome:  OutcomeNotSent,
	}
}

// grpc returns the target in the syntax of gRPC.
func (t sidecarAddress) grpc() string {
	if t.path != "" {
		return "unix:" + t.path
	}
	return "dns:///" + t.hostAndPort()
}

// inMessages returns the target for error messages: always with the port. text is the target as the
// application gave it.
func (t sidecarAddress) inMessages(text string) string {
	if t.path != "" {
		return text
	}
	return t.hostAndPort()
}

func (t sidecarAddress) hostAndPort() string {
	return net.JoinHostPort(t.host, strconv.Itoa(t.port))
}

// isOnThisMachine reports whether the target is on this machine, so that no other machine can read the
// traffic. A host name other than localhost counts as another machine.
func (t sidecarAddress) isOnThisMachine() bool {
	if t.path != "" || strings.EqualFold(t.host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(t.host)
	return err == nil && address.IsLoopback()
}

var knownScheme = regexp.MustCompile(`(?s)^(unix|dns|ipv4|ipv6):(.*)$`)

// readTarget parses a target. why is not empty if the text is invalid.
func readTarget(text string) (t sidecarAddress, why, hint string) {
	scheme, rest := "", text
	if known := knownScheme.FindStringSubmatch(text); known != nil {
		scheme, rest = known[1], known[2]
	} else if before, _, found := strings.Cut(text, "://"); found {
		if strings.EqualFold(before, "http") || strings.EqualFold(before, "https") {
			hint = "; set the option tls to use TLS"
		}
		return t, fmt.Sprintf("has the unsupported scheme \"%s\"", before), hint
	}
	switch scheme {
	case "unix":
		t, why = readPath(rest)
		return t, why, ""
	case "dns":
		if strings.HasPrefix(rest, "//") && !strings.HasPrefix(rest, "///") {
			return t, "names a DNS server, which is not supported", ""
		}
		rest = strings.TrimPrefix(rest, "///")
	}
	t, why = readAddress(rest)
	if why != "" {
		return t, why, ""
	}
	address, err := netip.ParseAddr(t.host)
	if scheme == "ipv4" && (err != nil || !address.Is4()) {
		return t, fmt.Sprintf("has an invalid IPv4 address \"%s\"", t.host), ""
	}
	if scheme == "ipv6" && (err != nil || !address.Is6()) {
		return t, fmt.Sprintf("has an invalid IPv6 address \"%s\"", t.host), ""
	}
	return t, "", ""
}

func readPath(rest string) (t sidecarAddress, why string) {
	path := strings.TrimPrefix(rest, "//")
	switch {
	case path == "":
		return t, "has no path"
	case path != rest && !strings.HasPrefix(path, "/"):
		return t, "has a host before the path"
	case len(path) > maxPathBytes:
		return t, fmt.Sprintf("has a path of %d bytes (must be at most %d)", len(path), maxPathBytes)
	}
	return sidecarAddress{path: path}, ""
}

var (
	bracketedAddress = regexp.MustCompile(`(?s)^\[([^\]]*)\](?::(.*))?$`)
	bareIPv6         = regexp.MustCompile(`^[0-9a-fA-F:.]+$`)
	hostName         = regexp.MustCompile(`^[\w.-]+$`)
	portNumber       = regexp.MustCompile(`^\d{1,5}$`)
)

func readAddress(text string) (t sidecarAddress, why string) {
	if parts := bracketedAddress.FindStringSubmatch(text); parts != nil {
		address, err := netip.ParseAddr(parts[1])
		if err != nil || !address.Is6() || address.Zone() != "" {
			return t, fmt.Sprintf("has an invalid IPv6 address \"%s\"", parts[1])
		}
		return withPort(parts[1], parts[2], strings.HasSuffix(text, "]"))
	}
	host, port, hasPort := strings.Cut(text, ":")
	switch {
	case strings.Contains(port, ":") && bareIPv6.MatchString(text):
		return t, "has an IPv6 address without brackets"
	case strings.Contains(port, ":"):
		return t, fmt.Sprintf("has an invalid host \"%s\"", text)
	case host == "":
		return t, "has no host"
	case !hostName.MatchString(host) || len(host) > maxHostCharacters:
		return t, fmt.Sprintf("has an invalid host \"%s\"", host)
	}
	return withPort(host, port, !hasPort)
}

func withPort(host, text string, isDefault bool) (t sidecarAddress, why string) {
	if isDefault {
		return sidecarAddress{host: host, port: defaultPort}, ""
	}
	port, _ := strconv.Atoi(text)
	if !portNumber.MatchString(text) || port < 1 || port > maxPort {
		return t, fmt.Sprintf("has an invalid port \"%s\" (must be from 1 to %d)", text, maxPort)
	}
	return sidecarAddress{host: host, port: port}, ""
}
