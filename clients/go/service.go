package spreadsidecar

import (
	"fmt"
	"math/bits"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
)

// Service is Spread's service type word, as in its C library: the service type to send with, or the type of a
// received message. To send, use exactly one of UnreliableMess to SafeMess, optionally with SelfDiscard (|).
type Service uint32

// Service types.
const (
	// UnreliableMess: messages may be lost and have no order. Spread 5 treats UnreliableMess as ReliableMess.
	UnreliableMess Service = 0x00000001
	// ReliableMess: reliable delivery without an order.
	ReliableMess Service = 0x00000002
	// FifoMess: reliable delivery in the order of each sender.
	FifoMess Service = 0x00000004
	// CausalMess: a message arrives after all messages that it may depend on. Spread 5 treats it as AgreedMess.
	CausalMess Service = 0x00000008
	// AgreedMess: one total order for all receivers.
	AgreedMess Service = 0x00000010
	// SafeMess: like AgreedMess, but the daemon delivers the message only after the daemons of all members
	// have it.
	SafeMess Service = 0x00000020
	// RegularMess has the bits of all six service types.
	RegularMess Service = 0x0000003f
	// SelfDiscard is added to a service type: the sender does not receive its own message.
	SelfDiscard Service = 0x00000040
	// DropRecv truncates a message that is longer than the receive buffer in the C library. In this package,
	// the flag has no effect, because every message fits in its buffer. It exists for programs that print or
	// compare it.
	DropRecv Service = 0x01000000
)

// Types of membership messages.
const (
	// RegMembMess is a view of a group.
	RegMembMess Service = 0x00001000
	// TransitionMess is a transitional signal.
	TransitionMess Service = 0x00002000
	// CausedByJoin is the cause of a view: one member joined.
	CausedByJoin Service = 0x00000100
	// CausedByLeave is the cause of a view: one member left. Without RegMembMess: a self-leave.
	CausedByLeave Service = 0x00000200
	// CausedByDisconnect is the cause of a view: the connection of one member ended.
	CausedByDisconnect Service = 0x00000400
	// CausedByNetwork is the cause of a view: the daemons of the ring changed.
	CausedByNetwork Service = 0x00000800
	// MembershipMess has all bits of membership messages.
	MembershipMess Service = 0x00003f00
)

// Bits that are reserved for Spread.
const (
	// EndianReserved is the byte-order marker of Spread's wire protocol. Values that this package returns never
	// contain it.
	EndianReserved Service = 0x80000080
	// Reserved is reserved for Spread.
	Reserved Service = 0x003fc000
	// RejectMess is a message that the daemon's access policy rejected.
	RejectMess Service = 0x00400000
)

// IsUnreliableMess is the macro Is_unreliable_mess of Spread's header. The following methods whose names
// begin with Is are also macros of this header.
func (s Service) IsUnreliableMess() bool { return s&UnreliableMess != 0 }

// IsReliableMess is Is_reliable_mess.
func (s Service) IsReliableMess() bool { return s&ReliableMess != 0 }

// IsFifoMess is Is_fifo_mess.
func (s Service) IsFifoMess() bool { return s&FifoMess != 0 }

// IsCausalMess is Is_causal_mess.
func (s Service) IsCausalMess() bool { return s&CausalMess != 0 }

// IsAgreedMess is Is_agreed_mess.
func (s Service) IsAgreedMess() bool { return s&AgreedMess != 0 }

// IsSafeMess is Is_safe_mess.
func (s Service) IsSafeMess() bool { return s&SafeMess != 0 }

// IsRegularMess is Is_regular_mess: a message of any service type that was not rejected.
func (s Service) IsRegularMess() bool { return s&RegularMess != 0 && s&RejectMess == 0 }

// IsSelfDiscard is Is_self_discard.
func (s Service) IsSelfDiscard() bool { return s&SelfDiscard != 0 }

// IsRegMembMess is Is_reg_memb_mess: a view.
func (s Service) IsRegMembMess() bool { return s&RegMembMess != 0 }

// IsTransitionMess is Is_transition_mess.
func (s Service) IsTransitionMess() bool { return s&TransitionMess != 0 }

// IsCausedJoinMess is Is_caused_join_mess.
func (s Service) IsCausedJoinMess() bool { return s&CausedByJoin != 0 }

// IsCausedLeaveMess is Is_caused_leave_mess.
func (s Service) IsCausedLeaveMess() bool { return s&CausedByLeave != 0 }

// IsCausedDisconnectMess is Is_caused_disconnect_mess.
func (s Service) IsCausedDisconnectMess() bool { return s&CausedByDisconnect != 0 }

// IsCausedNetworkMess is Is_caused_network_mess.
func (s Service) IsCausedNetworkMess() bool { return s&CausedByNetwork != 0 }

// IsMembershipMess is Is_membership_mess: a view, a transitional signal or a self-leave that was not
// rejected.
func (s Service) IsMembershipMess() bool { return s&MembershipMess != 0 && s&RejectMess == 0 }

// IsRejectMess is Is_reject_mess.
func (s Service) IsRejectMess() bool { return s&RejectMess != 0 }

// IsSelfLeave is Is_self_leave: this mailbox left a group.
func (s Service) IsSelfLeave() bool {
	return s&CausedByLeave != 0 && s&(RegMembMess|TransitionMess) == 0
}

var serviceNames = map[Service]string{
	UnreliableMess: "UNRELIABLE",
	ReliableMess:   "RELIABLE",
	FifoMess:       "FIFO",
	CausalMess:     "CAUSAL",
	AgreedMess:     "AGREED",
	SafeMess:       "SAFE",
}

// Name returns the name of the service type, such as SAFE. Empty unless exactly one service type is set.
func (s Service) Name() string { return serviceNames[s&RegularMess] }

// String returns the name of the service type, or the word in hexadecimal.
func (s Service) String() string {
	name := s.Name()
	if name == "" || s&^(RegularMess|SelfDiscard) != 0 {
		return fmt.Sprintf("0x%x", uint32(s))
	}
	if s.IsSelfDiscard() {
		return name + "|SELF_DISCARD"
	}
	return name
}

// toContract converts a word for sending to the contract.
func (s Service) toContract() (pb.ServiceType, error) {
	kind := s & RegularMess
	if bits.OnesCount32(uint32(kind)) != 1 || s&^(RegularMess|SelfDiscard) != 0 {
		text := fmt.Sprintf("service type 0x%x is invalid; allowed is one type from UnreliableMess to SafeMess, with or without SelfDiscard", uint32(s))
		return 0, localSpreadError(IllegalService, text, map[string]string{
			"field": "service_type",
			"bound": "one of 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, with or without 0x40",
		})
	}
	return pb.ServiceType(bits.TrailingZeros32(uint32(kind)) + 1), nil
}

// serviceFromContract returns Spread's bit for a service type of the contract. 0 if it is unspecified.
func serviceFromContract(kind pb.ServiceType) Service {
	if kind < pb.ServiceType_SERVICE_TYPE_UNRELIABLE || kind > pb.ServiceType_SERVICE_TYPE_SAFE {
		return 0
	}
	return 1 << (kind - 1)
}
