use std::fmt;

/// An error of Spread's C API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum Code {
    /// The spread name is not well formed.
    IllegalSpread = -1,
    /// The daemon can't be reached.
    CouldNotConnect = -2,
    /// The daemon has as many sessions as it may.
    RejectQuota = -3,
    /// No private name was given. Spread 5 never answers it.
    RejectNoName = -4,
    /// The private name has characters or a length that it may not have.
    RejectIllegalName = -5,
    /// The private name is in use at this daemon.
    RejectNotUnique = -6,
    /// The daemon does not speak this version.
    RejectVersion = -7,
    /// The connection to the daemon has ended.
    ConnectionClosed = -8,
    /// The daemon refused the authentication.
    RejectAuth = -9,
    /// There is no such mailbox, or no longer.
    IllegalSession = -11,
    /// The service type is not exactly one of the six.
    IllegalService = -12,
    /// The message is not well formed.
    IllegalMessage = -13,
    /// A group name is not well formed, or there are none or too many.
    IllegalGroup = -14,
    /// A receive buffer is too short. Cannot happen here; kept for programs that compare it.
    BufferTooShort = -15,
    /// A receive group list is too short. Cannot happen here; kept for programs that compare it.
    GroupsTooShort = -16,
    /// The message is longer than the daemon can carry.
    MessageTooLong = -17,
    /// The session had failed before this call.
    NetErrorOnSession = -18,
    /// A defect inside Spread.
    SpBug = -19,
    /// A time that was given is not valid.
    IllegalTime = -20,
    /// Flush library, a parameter is not valid.
    IllegalParam = -24,
    /// Flush library, the call would have to wait.
    WouldBlock = -25,
    /// Flush library, the message type is one that the library keeps for itself.
    IllegalMessageType = -26,
    /// Flush library, not allowed in the current state of the group.
    IllegalState = -27,
    /// Flush library, the list of receivers is not valid.
    IllegalReceivers = -28,
}

const NAMES: [(Code, &str); 24] = [
    (Code::IllegalSpread, "ILLEGAL_SPREAD"),
    (Code::CouldNotConnect, "COULD_NOT_CONNECT"),
    (Code::RejectQuota, "REJECT_QUOTA"),
    (Code::RejectNoName, "REJECT_NO_NAME"),
    (Code::RejectIllegalName, "REJECT_ILLEGAL_NAME"),
    (Code::RejectNotUnique, "REJECT_NOT_UNIQUE"),
    (Code::RejectVersion, "REJECT_VERSION"),
    (Code::ConnectionClosed, "CONNECTION_CLOSED"),
    (Code::RejectAuth, "REJECT_AUTH"),
    (Code::IllegalSession, "ILLEGAL_SESSION"),
    (Code::IllegalService, "ILLEGAL_SERVICE"),
    (Code::IllegalMessage, "ILLEGAL_MESSAGE"),
    (Code::IllegalGroup, "ILLEGAL_GROUP"),
    (Code::BufferTooShort, "BUFFER_TOO_SHORT"),
    (Code::GroupsTooShort, "GROUPS_TOO_SHORT"),
    (Code::MessageTooLong, "MESSAGE_TOO_LONG"),
    (Code::NetErrorOnSession, "NET_ERROR_ON_SESSION"),
    (Code::SpBug, "SP_BUG"),
    (Code::IllegalTime, "ILLEGAL_TIME"),
    (Code::IllegalParam, "ILLEGAL_PARAM"),
    (Code::WouldBlock, "WOULD_BLOCK"),
    (Code::IllegalMessageType, "ILLEGAL_MESSAGE_TYPE"),
    (Code::IllegalState, "ILLEGAL_STATE"),
    (Code::IllegalReceivers, "ILLEGAL_RECEIVERS"),
];

impl Code {
    /// Spread's name for it, such as `ILLEGAL_GROUP`.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(code, _)| *code == self).map_or("", |(_, name)| name)
    }

    /// Spread's number for it, such as -14.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// The error with a name of Spread.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(code, _)| *code)
    }

    /// The error with a number of Spread.
    pub fn from_number(number: i32) -> Option<Self> {
        NAMES.iter().find(|(code, _)| code.number() == number).map(|(code, _)| *code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
