package spreadsidecar

import (
	"fmt"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
)

// GroupID is the identity of a view. Compare group IDs with ==. Group IDs have no order. A group ID can
// repeat after its group was empty.
type GroupID struct {
	// DaemonID is the ID of the daemon that formed the daemon membership.
	DaemonID uint32
	// Time is the time of the daemon membership, in seconds since 1970.
	Time int32
	// Index is 1 for the first view of a group in a daemon membership, then incremented by 1.
	Index int32
}

// String returns the three decimal numbers, separated by spaces.
func (id GroupID) String() string { return fmt.Sprintf("%d %d %d", id.DaemonID, id.Time, id.Index) }

func toGroupID(id *pb.GroupId) GroupID {
	return GroupID{DaemonID: id.GetDaemonId(), Time: id.GetTime(), Index: id.GetIndex()}
}
