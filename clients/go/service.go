package spreadsidecar

import (
	"fmt"
	"math/bits"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
)

// Service is Spread's type word, as its C library has it: a service type to send with, or what a received message
// is. Exactly one of UnreliableMess to SafeMess is needed to send, with SelfDiscard added (|) or not.
type Service uint32

// Service types.
const (
	// UnreliableMess may be lost, and has no order. Spread 5 treats it as ReliableMess.
	UnreliableMess Service = 0x00000001
	// ReliableMess arrives, in no order.
	ReliableMess Service = 0x00000002
	// FifoMess arrives in its sender's order.
	FifoMess Service = 0x00000004
	// CausalMess arrives after everything that it may depend on. Spread 5 treats it as AgreedMess.
	CausalMess Service = 0x00000008
	// AgreedMess arrives in one total order at all receivers.
	AgreedMess Service = 0x00000010
	// SafeMess is AgreedMess, and delivered only once every daemon concerned holds it.
	SafeMess Service = 0x00000020
	// RegularMess is all six service types.
	RegularMess Service = 0x0000003f
	// SelfDiscard is added to a service type: no copy to the sender.
	SelfDiscard Service = 0x00000040
	// DropRecv asks the C library's receive to cut a message that is too long for its buffer. Buffers here always fit;
	// the name is kept for programs that print or compare it.
	DropRecv Service = 0x01000000
)

// Types of membership messages.
const (
	// RegMembMess is a view of a group.
	RegMembMess Service = 0x00001000
	// TransitionMess is a transitional signal.
	TransitionMess Service = 0x00002000
	// CausedByJoin is a view because one member joined.
	CausedByJoin Service = 0x00000100
	// CausedByLeave is a view because one member left. Without RegMembMess: the receiver itself left.
	CausedByLeave Service = 0x00000200
	// CausedByDisconnect is a view because one member's connection ended.
	CausedByDisconnect Service = 0x00000400
	// CausedByNetwork is a view because daemons were lost or found.
	CausedByNetwork Service = 0x00000800
	// MembershipMess is all bits of membership messages.
	MembershipMess Service = 0x00003f00
)

// Bits that Spread keeps for itself.
const (
	// EndianReserved is the byte-order marker of Spread's wire; never set in what this package returns.
	EndianReserved Service = 0x80000080
	// Reserved is kept by Spread.
	Reserved Service = 0x003fc000
	// RejectMess is a message that the daemon's policy refused.
	RejectMess Service = 0x00400000
)

// IsUnreliableMess is Is_unreliable_mess of Spread's header, as the methods after it are their namesakes there.
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

// IsRegularMess is Is_regular_mess: a message of any service type that was not refused.
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

// IsMembershipMess is Is_membership_mess: a view, a transitional signal or a self-leave that was not refused.
func (s Service) IsMembershipMess() bool { return s&MembershipMess != 0 && s&RejectMess == 0 }

// IsRejectMess is Is_reject_mess.
func (s Service) IsRejectMess() bool { return s&RejectMess != 0 }

// IsSelfLeave is Is_self_leave: the receiver itself left a group.
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

// Name is the service type's name, such as SAFE; empty when there is not exactly one.
func (s Service) Name() string { return serviceNames[s&RegularMess] }

// String is the service type's name, or the word in hexadecimal.
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

// toContract gives the contract's terms for a word to send with.
func (s Service) toContract() (pb.ServiceType, error) {
	kind := s & RegularMess
	if bits.OnesCount32(uint32(kind)) != 1 || s&^(RegularMess|SelfDiscard) != 0 {
		text := fmt.Sprintf("service type 0x%x is not one of UnreliableMess to SafeMess, alone or with SelfDiscard", uint32(s))
		return 0, localSpreadError(IllegalService, text, map[string]string{
			"field": "service_type",
			"bound": "one of 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, with or without 0x40",
		})
	}
	return pb.ServiceType(bits.TrailingZeros32(uint32(kind)) + 1), nil
}

// serviceFromContract gives Spread's bit of a service type of the contract; 0 for none.
func serviceFromContract(kind pb.ServiceType) Service {
	if kind < pb.ServiceType_SERVICE_TYPE_UNRELIABLE || kind > pb.ServiceType_SERVICE_TYPE_SAFE {
		return 0
	}
	return 1 << (kind - 1)
}
