/**
 * Testcontainers module of spread-sidecar. It starts a sidecar with a Spread daemon in a container, for tests.
 * Start with {@link SpreadSidecarContainer}.
 *
 * @packageDocumentation
 */
export { type ContainerTls, SpreadSidecarContainer } from './container.js';
export { DEFAULT_IMAGE } from './image.js';
export { StartedSpreadSidecarContainer } from './started-container.js';
