package spreadsidecar

import (
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var causes = map[pb.MembershipCause]MembershipCause{
	pb.MembershipCause_MEMBERSHIP_CAUSE_JOIN:       CauseJoin,
	pb.MembershipCause_MEMBERSHIP_CAUSE_LEAVE:      CauseLeave,
	pb.MembershipCause_MEMBERSHIP_CAUSE_DISCONNECT: CauseDisconnect,
	pb.MembershipCause_MEMBERSHIP_CAUSE_NETWORK:    CauseNetwork,
}

var operations = map[pb.RejectedOperation]RejectedOperation{
	pb.RejectedOperation_REJECTED_OPERATION_JOIN:      RejectedJoin,
	pb.RejectedOperation_REJECTED_OPERATION_LEAVE:     RejectedLeave,
	pb.RejectedOperation_REJECTED_OPERATION_MULTICAST: RejectedMulticast,
}

func toTime(at *timestamppb.Timestamp) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.AsTime()
}

func toView(info EventInfo, view *pb.MembershipView) *ViewMessage {
	sets := make([]VirtualSynchronySet, 0, len(view.GetVirtualSynchronySets()))
	for _, set := range view.GetVirtualSynchronySets() {
		sets = append(sets, VirtualSynchronySet{Members: set.GetMembers(), Mine: set.GetMine()})
	}
	return &ViewMessage{
		EventInfo:      info,
		Group:          view.GetGroup(),
		GroupID:        toGroupID(view.GetGroupId()),
		Cause:          causes[view.GetCause()],
		Members:        view.GetMembers(),
		OwnIndex:       int(view.GetOwnIndex()),
		ChangedMembers: view.GetChangedMembers(),
		Sets:           sets,
	}
}

// toEvent converts an event of the contract. It returns nil for a kind that this release does not know.
func toEvent(event *pb.Event) Event {
	info := EventInfo{Sequence: event.GetSequence(), ReceivedAt: toTime(event.GetReceivedAt())}
	switch kind := event.GetKind().(type) {
	case *pb.Event_RegularMessage:
		m := kind.RegularMessage
		return &RegularMessage{EventInfo: info, Content: Content{
			Sender:         m.GetSender(),
			Groups:         m.GetGroups(),
			ServiceType:    serviceFromContract(m.GetServiceType()),
			MessageType:    int(m.GetMessageType()),
			Payload:        m.GetPayload(),
			EndianMismatch: m.GetEndianMismatch(),
			SpreadType:     Service(m.GetSpreadType()),
			Headers:        m.GetHeaders(),
		}}
	case *pb.Event_RejectedMessage:
		m := kind.RejectedMessage
		return &RejectedMessage{EventInfo: info, Operation: operations[m.GetOperation()], Content: Content{
			Sender:         m.GetSender(),
			Groups:         m.GetGroups(),
			ServiceType:    serviceFromContract(m.GetServiceType()),
			MessageType:    int(m.GetMessageType()),
			Payload:        m.GetPayload(),
			EndianMismatch: m.GetEndianMismatch(),
			SpreadType:     Service(m.GetSpreadType()),
			Headers:        m.GetHeaders(),
		}}
	case *pb.Event_MembershipView:
		return toView(info, kind.MembershipView)
	case *pb.Event_TransitionalSignal:
		signal := kind.TransitionalSignal
		return &TransitionalMessage{EventInfo: info, Group: signal.GetGroup(), GroupID: toGroupID(signal.GetGroupId())}
	case *pb.Event_SelfLeave:
		return &SelfLeaveMessage{EventInfo: info, Group: kind.SelfLeave.GetGroup()}
	case *pb.Event_ConnectionLost:
		lost := kind.ConnectionLost
		return &ConnectionLost{
			EventInfo:    info,
			PrivateGroup: lost.GetPrivateGroup(),
			Groups:       lost.GetGroups(),
			SpreadCode:   Code(lost.GetSpreadCode()),
		}
	case *pb.Event_ConnectionRestored:
		restored := kind.ConnectionRestored
		return &ConnectionRestored{
			EventInfo:            info,
			PreviousPrivateGroup: restored.GetPreviousPrivateGroup(),
			PrivateGroup:         restored.GetPrivateGroup(),
			Groups:               restored.GetGroups(),
			Daemon:               restored.GetDaemon(),
		}
	}
	return nil
}
