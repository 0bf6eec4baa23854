/**
 * The Testcontainers module of spread-sidecar. It starts a sidecar with a Spread daemon in a container, for tests.
 * Start with {@link org.spreadsidecar.testcontainers.SpreadSidecarContainer}.
 */
package org.spreadsidecar.testcontainers;
