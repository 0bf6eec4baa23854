//! The numbers of Spread's C header that are not bits of a type word; those are constants of [`crate::Service`].

/// Priority of a connection. Spread 5 stores 0 and 1 and gives them no effect.
pub const LOW_PRIORITY: u32 = 0;
/// See [`LOW_PRIORITY`].
pub const MEDIUM_PRIORITY: u32 = 1;
/// Refused by Spread 5.
pub const HIGH_PRIORITY: u32 = 2;
/// The port of a Spread daemon that is configured for no other.
pub const DEFAULT_SPREAD_PORT: u16 = 4803;
/// The port of a spread-sidecar that is configured for no other. Not a constant of Spread.
pub const DEFAULT_SIDECAR_PORT: u16 = 4813;
/// The release as Spread 5.0.1's header has it: major in bits 24 to 31, minor in 16 to 23, patch in 0 to 15. The header
/// of 5.0.1 says 5.0.0; what `SP_version` returns, and [`crate::Sidecar::version`] asks for, is 5.0.1.
pub const SPREAD_VERSION: u32 = 0x0500_0000;
/// The size of a group name's field in bytes, with the NUL of C: a name has at most 31.
pub const MAX_GROUP_NAME: usize = 32;
/// The most characters of a private name.
pub const MAX_PRIVATE_NAME: usize = 10;
/// The size of a daemon name's field in bytes, with the NUL of C: a daemon name has at most 19.
pub const MAX_PROC_NAME: usize = 20;
/// The most pieces of one message in the scatter calls of the C library. Payloads here are of one piece.
pub const MAX_CLIENT_SCATTER_ELEMENTS: usize = 100;
/// The largest payload to one group that a Spread 5.0.1 daemon handles safely, in bytes. No buffer has to grow here.
pub const DEFAULT_BUFFER_SIZE: usize = 143_119;
/// The most groups that Spread 5 allows a message.
pub const DEFAULT_GROUPS_SIZE: usize = 100;
/// The answer of a daemon that accepts a session. Not an error.
pub const ACCEPT_SESSION: i32 = 1;
