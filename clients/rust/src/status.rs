use std::fmt;

/// The gRPC status of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum StatusCode {
    Ok,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

const ALL: [(StatusCode, &str); 17] = [
    (StatusCode::Ok, "OK"),
    (StatusCode::Cancelled, "CANCELLED"),
    (StatusCode::Unknown, "UNKNOWN"),
    (StatusCode::InvalidArgument, "INVALID_ARGUMENT"),
    (StatusCode::DeadlineExceeded, "DEADLINE_EXCEEDED"),
    (StatusCode::NotFound, "NOT_FOUND"),
    (StatusCode::AlreadyExists, "ALREADY_EXISTS"),
    (StatusCode::PermissionDenied, "PERMISSION_DENIED"),
    (StatusCode::ResourceExhausted, "RESOURCE_EXHAUSTED"),
    (StatusCode::FailedPrecondition, "FAILED_PRECONDITION"),
    (StatusCode::Aborted, "ABORTED"),
    (StatusCode::OutOfRange, "OUT_OF_RANGE"),
    (StatusCode::Unimplemented, "UNIMPLEMENTED"),
    (StatusCode::Internal, "INTERNAL"),
    (StatusCode::Unavailable, "UNAVAILABLE"),
    (StatusCode::DataLoss, "DATA_LOSS"),
    (StatusCode::Unauthenticated, "UNAUTHENTICATED"),
];

impl StatusCode {
    /// The name in gRPC, such as `INVALID_ARGUMENT`.
    pub fn as_str(self) -> &'static str {
        ALL[self as usize].1
    }

    /// The status for a number of gRPC. [`StatusCode::Unknown`] for an unknown number.
    pub fn from_number(number: i32) -> Self {
        usize::try_from(number).ok().and_then(|at| ALL.get(at)).map_or(Self::Unknown, |(status, _)| *status)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
