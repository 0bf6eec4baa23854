package org.spreadsidecar.client;

import java.util.List;

/**
 * The members that moved together from one view to the next view. Between these views, they received the same
 * messages.
 *
 * @param members their private groups, in Spread's order
 * @param mine whether this is the set of the receiving mailbox. If there is only one set, this is always true
 */
public record VirtualSynchronySet(List<String> members, boolean mine) {}
