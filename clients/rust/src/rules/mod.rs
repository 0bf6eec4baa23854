//! The rules of `docs/client-rules.md`, in code without I/O. The numbers in comments, such as R8,
//! are the numbers of that page. The callers pass the time and the random numbers.

pub(crate) mod acknowledgement;
pub(crate) mod backoff;
pub(crate) mod failures;
pub(crate) mod lease;
pub(crate) mod receiving;
pub(crate) mod rejected;
pub(crate) mod send_window;

#[cfg(test)]
mod tests;
