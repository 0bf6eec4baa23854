/**
 * Java client of spread-sidecar: Spread group communication over gRPC. Begin with {@link SpreadSidecar}.
 *
 * <p>Every failure is a {@link SpreadException}, which is unchecked. Every call may be used by several threads at once; a
 * thread that waits can be interrupted, which gives the call up with status CANCELLED and leaves the thread interrupted.
 */
package org.spreadsidecar.client;
