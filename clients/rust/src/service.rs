use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};

use crate::{Code, SpreadError};

/// Spread's service type word, as in its C library: the service type to send with, or the type of a
/// received message. To send, use exactly one of [`Service::UNRELIABLE_MESS`] to
/// [`Service::SAFE_MESS`], optionally with [`Service::SELF_DISCARD`] (`|`).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Service(pub u32);

impl Service {
    /// Messages may be lost and have no order. Spread 5 treats it as [`Service::RELIABLE_MESS`].
    pub const UNRELIABLE_MESS: Self = Self(0x0000_0001);
    /// Reliable delivery without an order.
    pub const RELIABLE_MESS: Self = Self(0x0000_0002);
    /// Reliable delivery in the order of each sender.
    pub const FIFO_MESS: Self = Self(0x0000_0004);
    /// A message arrives after all messages that it may depend on. Spread 5 treats it as
    /// [`Service::AGREED_MESS`].
    pub const CAUSAL_MESS: Self = Self(0x0000_0008);
    /// One total order for all receivers.
    pub const AGREED_MESS: Self = Self(0x0000_0010);
    /// Like [`Service::AGREED_MESS`], but the daemon delivers the message only after the daemons of
    /// all members have it.
    pub const SAFE_MESS: Self = Self(0x0000_0020);
    /// All six service types.
    pub const REGULAR_MESS: Self = Self(0x0000_003f);
    /// Added to a service type: the sender does not receive its own message.
    pub const SELF_DISCARD: Self = Self(0x0000_0040);
    /// In the C library, this flag truncates a message that is longer than the receive buffer. In
    /// this crate, the flag has no effect, because every message fits in its buffer. It exists for
    /// programs that print or compare it.
    pub const DROP_RECV: Self = Self(0x0100_0000);
    /// A view of a group.
    pub const REG_MEMB_MESS: Self = Self(0x0000_1000);
    /// A transitional signal.
    pub const TRANSITION_MESS: Self = Self(0x0000_2000);
    /// The cause of a view: one member joined.
    pub const CAUSED_BY_JOIN: Self = Self(0x0000_0100);
    /// The cause of a view: one member left. Without [`Service::REG_MEMB_MESS`]: a self-leave.
    pub const CAUSED_BY_LEAVE: Self = Self(0x0000_0200);
    /// The cause of a view: the connection of one member ended.
    pub const CAUSED_BY_DISCONNECT: Self = Self(0x0000_0400);
    /// The cause of a view: the daemons of the ring changed.
    pub const CAUSED_BY_NETWORK: Self = Self(0x0000_0800);
    /// All bits of membership messages.
    pub const MEMBERSHIP_MESS: Self = Self(0x0000_3f00);
    /// The byte-order marker of Spread's wire protocol. Values that this crate returns never
    /// contain it.
    pub const ENDIAN_RESERVED: Self = Self(0x8000_0080);
    /// Reserved for Spread.
    pub const RESERVED: Self = Self(0x003f_c000);
    /// A message that the daemon's access policy rejected.
    pub const REJECT_MESS: Self = Self(0x0040_0000);

    const fn has(self, bits: Self) -> bool {
        self.0 & bits.0 != 0
    }

    /// The macro `Is_unreliable_mess` of Spread's header. The following methods whose names begin
    /// with `is_` are also macros of this header.
    pub const fn is_unreliable_mess(self) -> bool {
        self.has(Self::UNRELIABLE_MESS)
    }

    /// `Is_reliable_mess`.
    pub const fn is_reliable_mess(self) -> bool {
        self.has(Self::RELIABLE_MESS)
    }

    /// `Is_fifo_mess`.
    pub const fn is_fifo_mess(self) -> bool {
        self.has(Self::FIFO_MESS)
    }

    /// `Is_causal_mess`.
    pub const fn is_causal_mess(self) -> bool {
        self.has(Self::CAUSAL_MESS)
    }

    /// `Is_agreed_mess`.
    pub const fn is_agreed_mess(self) -> bool {
        self.has(Self::AGREED_MESS)
    }

    /// `Is_safe_mess`.
    pub const fn is_safe_mess(self) -> bool {
        self.has(Self::SAFE_MESS)
    }

    /// `Is_self_discard`.
    pub const fn is_self_discard(self) -> bool {
        self.has(Self::SELF_DISCARD)
    }

    /// `Is_reg_memb_mess`.
    pub const fn is_reg_memb_mess(self) -> bool {
        self.has(Self::REG_MEMB_MESS)
    }

    /// `Is_transition_mess`.
    pub const fn is_transition_mess(self) -> bool {
        self.has(Self::TRANSITION_MESS)
    }

    /// `Is_caused_join_mess`.
    pub const fn is_caused_join_mess(self) -> bool {
        self.has(Self::CAUSED_BY_JOIN)
    }

    /// `Is_caused_leave_mess`.
    pub const fn is_caused_leave_mess(self) -> bool {
        self.has(Self::CAUSED_BY_LEAVE)
    }

    /// `Is_caused_disconnect_mess`.
    pub const fn is_caused_disconnect_mess(self) -> bool {
        self.has(Self::CAUSED_BY_DISCONNECT)
    }

    /// `Is_caused_network_mess`.
    pub const fn is_caused_network_mess(self) -> bool {
        self.has(Self::CAUSED_BY_NETWORK)
    }

    /// `Is_reject_mess`.
    pub const fn is_reject_mess(self) -> bool {
        self.has(Self::REJECT_MESS)
    }

    /// `Is_regular_mess`: a message of any service type that was not rejected.
    pub const fn is_regular_mess(self) -> bool {
        self.has(Self::REGULAR_MESS) && !self.is_reject_mess()
    }

    /// `Is_membership_mess`: a view, a transitional signal or a self-leave that was not rejected.
    pub const fn is_membership_mess(self) -> bool {
        self.has(Self::MEMBERSHIP_MESS) && !self.is_reject_mess()
    }

    /// `Is_self_leave`: this mailbox left a group.
    pub const fn is_self_leave(self) -> bool {
        self.is_caused_leave_mess() && !self.is_reg_memb_mess() && !self.is_transition_mess()
    }

    /// The name of the service type, such as `SAFE`. `None` unless exactly one service type is set.
    pub fn name(self) -> Option<&'static str> {
        const NAMES: [&str; 6] = ["UNRELIABLE", "RELIABLE", "FIFO", "CAUSAL", "AGREED", "SAFE"];
        let kind = self & Self::REGULAR_MESS;
        if kind.0.is_power_of_two() { Some(NAMES[kind.0.trailing_zeros() as usize]) } else { None }
    }

    /// Converts a word for sending to the contract.
    pub(crate) fn to_contract(self) -> Result<i32, SpreadError> {
        let kind = self & Self::REGULAR_MESS;
        if kind.0.is_power_of_two() && self.0 & !(Self::REGULAR_MESS | Self::SELF_DISCARD).0 == 0 {
            return Ok(kind.0.trailing_zeros() as i32 + 1);
        }
        let message = format!(
            "service type {:#x} is invalid; allowed is one type from UNRELIABLE_MESS to SAFE_MESS, with or without \
             SELF_DISCARD",
            self.0
        );
        let bound = "one of 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, with or without 0x40";
        let metadata = [("field", "service_type"), ("bound", bound)];
        Err(SpreadError::local(Code::IllegalService, &message, &metadata))
    }

    /// Spread's bit for a service type of the contract. 0 if it is unspecified.
    pub(crate) fn from_contract(kind: i32) -> Self {
        if (1..=6).contains(&kind) { Self(1 << (kind - 1)) } else { Self(0) }
    }
}

impl BitOr for Service {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Service {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Service {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The name of the service type, or the word in hexadecimal.
impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) if self.0 & !Self::REGULAR_MESS.0 == 0 => f.write_str(name),
            Some(name) if self.0 & !(Self::REGULAR_MESS | Self::SELF_DISCARD).0 == 0 => {
                write!(f, "{name}|SELF_DISCARD")
            }
            _ => write!(f, "{:#x}", self.0),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
