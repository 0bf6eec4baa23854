package org.spreadsidecar.client;

/**
 * The identity of one membership of one group. Two are the same exactly if they are equal; no order is defined, and an id may
 * come again after its group was empty.
 *
 * @param daemonId id of the daemon that formed the daemon membership, 0 to 2^32-1
 * @param time seconds since 1970 of the daemon membership
 * @param index 1 for the first view of a group in a daemon membership, one more for each later one
 */
public record GroupId(long daemonId, int time, int index) {}
