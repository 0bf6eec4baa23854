package org.spreadsidecar.client;

/**
 * The identity of a view. Compare group IDs with equals. Group IDs have no order. A group ID can repeat after its
 * group was empty.
 *
 * @param daemonId ID of the daemon that formed the daemon membership, 0 to 2^32-1
 * @param time time of the daemon membership, in seconds since 1970
 * @param index 1 for the first view of a group in a daemon membership, then incremented by 1
 */
public record GroupId(long daemonId, int time, int index) {}
