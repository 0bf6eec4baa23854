package spreadsidecar

import (
	"fmt"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
)

// GroupID is the identity of one membership of one group. Two are the same exactly if == says so; no order is
// defined, and an id may come again after its group was empty.
type GroupID struct {
	// DaemonID is the id of the daemon that formed the daemon membership.
	DaemonID uint32
	// Time is the seconds since 1970 of the daemon membership.
	Time int32
	// Index is 1 for the first view of a group in a daemon membership, and one more for each later one.
	Index int32
}

// String is the three words in decimal, parted by blanks.
func (id GroupID) String() string { return fmt.Sprintf("%d %d %d", id.DaemonID, id.Time, id.Index) }

func toGroupID(id *pb.GroupId) GroupID {
	return GroupID{DaemonID: id.GetDaemonId(), Time: id.GetTime(), Index: id.GetIndex()}
}
