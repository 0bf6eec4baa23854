package spreadsidecar

// Priorities of a connection. Spread 5 stores 0 and 1 and gives them no effect; 2 is refused.
const (
	LowPriority    = 0
	MediumPriority = 1
	HighPriority   = 2
)

const (
	// DefaultSpreadPort is the port of a Spread daemon that is configured for no other.
	DefaultSpreadPort = 4803
	// DefaultSidecarPort is the port of a spread-sidecar that is configured for no other. Not a constant of Spread.
	DefaultSidecarPort = 4813
	// SpreadVersion is the release as Spread 5.0.1's header has it: major in bits 24 to 31, minor in 16 to 23, patch
	// in 0 to 15. The header of 5.0.1 says 5.0.0; what SP_version returns, and [Sidecar.Version] asks for, is 5.0.1.
	SpreadVersion = 0x05000000
	// MaxGroupName is the size of a group name's field in bytes, with the NUL of C: a name has at most 31.
	MaxGroupName = 32
	// MaxPrivateName is the most characters of a private name.
	MaxPrivateName = 10
	// MaxProcName is the size of a daemon name's field in bytes, with the NUL of C: a daemon name has at most 19.
	MaxProcName = 20
	// MaxClientScatterElements is the most pieces of one message in the scatter calls of the C library. Payloads here
	// are of one piece.
	MaxClientScatterElements = 100
	// DefaultBufferSize is the largest payload to one group that a Spread 5.0.1 daemon handles safely, in bytes. No
	// buffer has to grow here.
	DefaultBufferSize = 143_119
	// DefaultGroupsSize is the most groups that Spread 5 allows a message.
	DefaultGroupsSize = 100
)

// AcceptSession is the answer of a daemon that accepts a session. Not an error.
const AcceptSession = 1
