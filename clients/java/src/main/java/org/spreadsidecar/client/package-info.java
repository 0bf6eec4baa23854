/**
 * Java client of spread-sidecar: Spread group communication over gRPC. Start with {@link SpreadSidecar}.
 *
 * <p>Every failure is a {@link SpreadException}, which is unchecked. All classes are safe for concurrent use. If a
 * waiting thread is interrupted, its call fails with status CANCELLED, and the thread stays interrupted.
 */
package org.spreadsidecar.client;
