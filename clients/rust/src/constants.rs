//! The constants of Spread's C header, except the bits of a service type word. These bits are
//! constants of [`crate::Service`].

/// Priority of a connection. Spread 5 accepts 0 and 1, which have no effect.
pub const LOW_PRIORITY: u32 = 0;
/// See [`LOW_PRIORITY`].
pub const MEDIUM_PRIORITY: u32 = 1;
/// Spread 5 rejects this priority.
pub const HIGH_PRIORITY: u32 = 2;
/// Default port of a Spread daemon.
pub const DEFAULT_SPREAD_PORT: u16 = 4803;
/// Default port of a spread-sidecar. Not a constant of Spread.
pub const DEFAULT_SIDECAR_PORT: u16 = 4813;
/// The version in the header of Spread 5.0.1: major in bits 24 to 31, minor in bits 16 to 23, patch
/// in bits 0 to 15. That header says 5.0.0. `SP_version` and [`crate::Sidecar::version`] return
/// 5.0.1.
pub const SPREAD_VERSION: u32 = 0x0500_0000;
/// Size of a group name field in bytes, including the final NUL. A name has at most 31 characters.
pub const MAX_GROUP_NAME: usize = 32;
/// Maximum length of a private name in characters.
pub const MAX_PRIVATE_NAME: usize = 10;
/// Size of a daemon name field in bytes, including the final NUL. A daemon name has at most 19
/// characters.
pub const MAX_PROC_NAME: usize = 20;
/// Maximum number of parts of one message in the scatter calls of the C library. A payload in this
/// crate has one part.
pub const MAX_CLIENT_SCATTER_ELEMENTS: usize = 100;
/// The largest payload to one group that a Spread 5.0.1 daemon handles safely, in bytes. Buffers in
/// this crate never need to grow.
pub const DEFAULT_BUFFER_SIZE: usize = 143_119;
/// Maximum number of groups of a message in Spread 5.
pub const DEFAULT_GROUPS_SIZE: usize = 100;
/// The response of a daemon that accepts a session. Not an error.
pub const ACCEPT_SESSION: i32 = 1;
