package org.spreadsidecar.client;

import java.util.List;

/**
 * The result of a request. All lists are unmodifiable.
 *
 * @param replies the replies in the order of their arrival, at most one from each member
 * @param left members that got the request and left the group, or disconnected, without a reply
 * @param overloaded members that rejected the request, because too many requests waited for their handlers
 * @param missing members without a reply when the request ended too early. Empty if the requester does not know the
 * members
 * @param timedOut whether the timeout passed
 * @param complete whether all requested replies arrived
 */
public record Replies(
    List<Reply> replies,
    List<String> left,
    List<String> overloaded,
    List<String> missing,
    boolean timedOut,
    boolean complete) {}
