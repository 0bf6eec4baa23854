package spreadsidecar

// Priorities of a connection. Spread 5 accepts 0 and 1, which have no effect, and rejects 2.
const (
	LowPriority    = 0
	MediumPriority = 1
	HighPriority   = 2
)

const (
	// DefaultSpreadPort is the default port of a Spread daemon.
	DefaultSpreadPort = 4803
	// DefaultSidecarPort is the default port of a spread-sidecar. Not a constant of Spread.
	DefaultSidecarPort = 4813
	// SpreadVersion is the version in the header of Spread 5.0.1: major in bits 24 to 31, minor in bits 16 to
	// 23, patch in bits 0 to 15. That header says 5.0.0. SP_version and [Sidecar.Version] return 5.0.1.
	SpreadVersion = 0x05000000
	// MaxGroupName is the size of a group name field in bytes, including the final NUL. A name has at most 31
	// characters.
	MaxGroupName = 32
	// MaxPrivateName is the maximum length of a private name in characters.
	MaxPrivateName = 10
	// MaxProcName is the size of a daemon name field in bytes, including the final NUL. A daemon name has at
	// most 19 characters.
	MaxProcName = 20
	// MaxClientScatterElements is the maximum number of parts of one message in the scatter calls of the C
	// library. A payload in this package has one part.
	MaxClientScatterElements = 100
	// DefaultBufferSize is the largest payload to one group that a Spread 5.0.1 daemon handles safely, in bytes.
	// Buffers in this package never need to grow.
	DefaultBufferSize = 143_119
	// DefaultGroupsSize is the maximum number of groups of a message in Spread 5.
	DefaultGroupsSize = 100
)

// AcceptSession is the response of a daemon that accepts a session. Not an error.
const AcceptSession = 1
