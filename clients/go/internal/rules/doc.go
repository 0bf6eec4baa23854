// Package rules has the rules of docs/client-rules.md without I/O. A comment with a number, such as R8, refers to
// that file. The rest of the client makes the calls, keeps the timers and locks, and asks these rules what to do.
//
// All times are durations on a monotonic clock (T1) with any origin. The caller reads the clock and draws the
// random numbers. No type of this package is safe for concurrent use, except [Lease].
package rules
