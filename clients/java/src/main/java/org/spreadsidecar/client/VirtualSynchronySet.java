package org.spreadsidecar.client;

import java.util.List;

/**
 * Members that moved together from one view to the next, and so received the same messages in between.
 *
 * @param members their private groups, in Spread's order
 * @param mine whether it is the receiver's own; with one set only, that one is marked, whoever is in it
 */
public record VirtualSynchronySet(List<String> members, boolean mine) {}
