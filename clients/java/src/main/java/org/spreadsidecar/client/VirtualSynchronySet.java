package org.spreadsidecar.client;

import java.util.List;

/**
 * The members that moved together from one view to the next, and therefore received the same messages in between.
 *
 * @param members their private groups, in Spread's order
 * @param mine whether it is the receiver's own set. If there is only one set, this is always true
 */
public record VirtualSynchronySet(List<String> members, boolean mine) {}
