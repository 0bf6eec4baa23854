package org.spreadsidecar.client;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An open request: which members must answer, and what they answered. docs/request-reply.md has the rules Q3 to Q7.
 * Without I/O. Not safe for concurrent use.
 */
final class PendingRequest {
  /** What a member answers. */
  enum Status {
    /** A reply. */
    OK,
    /** The handler failed. */
    ERROR,
    /** The member has no handler for the group. */
    NOT_SERVING,
    /** The queue of the member is full. */
    OVERLOADED
  }

  /** The number of wanted replies that means all members. */
  static final int ALL = 0;

  private final String target;
  private final int wanted;
  private final boolean isPrivate;
  private final List<Reply> replies = new ArrayList<>();
  private final List<String> left = new ArrayList<>();
  private final List<String> overloaded = new ArrayList<>();
  /** Everyone whose answer arrived, also before the members were known. */
  private final Set<String> answered = new HashSet<>();
  /** The members that must still answer. Null while they are not known. */
  private Set<String> waiting;
  private boolean timedOut;

  /**
   * @param target a group or a private group
   * @param wanted the number of replies, or {@link #ALL}
   */
  PendingRequest(String target, int wanted) {
    this.target = target;
    this.isPrivate = isPrivate(target);
    this.wanted = isPrivate ? 1 : wanted;
    if (isPrivate) waiting = new LinkedHashSet<>(Set.of(target));
  }

  static boolean isPrivate(String target) {
    return target.startsWith("#");
  }

  String target() {
    return target;
  }

  /** The requester received its own request: these members of the view got it too (Q3). */
  void delivered(Collection<String> members) {
    if (waiting != null) return;
    waiting = new LinkedHashSet<>(members);
    waiting.removeAll(answered);
  }

  /** A later view of the group (Q4). */
  void view(Set<String> members) {
    if (isPrivate || waiting == null) return;
    for (Iterator<String> each = waiting.iterator(); each.hasNext(); ) {
      String member = each.next();
      if (members.contains(member)) continue;
      each.remove();
      left.add(member);
    }
  }

  /** A member disconnected, or a partition separated it (Q5). */
  void disconnected(String member) {
    if (isPrivate && waiting.remove(member)) left.add(member);
  }

  /** An answer of a member. Returns false for a second one (Q7). */
  boolean answer(Status status, Reply reply) {
    String sender = reply.sender();
    if (!answered.add(sender)) return false;
    if (waiting != null) waiting.remove(sender);
    switch (status) {
      case OK, ERROR -> replies.add(reply);
      case OVERLOADED -> overloaded.add(sender);
      case NOT_SERVING -> {}
    }
    return true;
  }

  /** The timeout passed (Q6). */
  void timeOut() {
    timedOut = true;
  }

  /** The result; empty while the request is open. */
  Optional<Replies> result() {
    boolean hasEnough = wanted != ALL && replies.size() >= wanted;
    boolean hasAll = waiting != null && waiting.isEmpty();
    if (!hasEnough && !hasAll && !timedOut && !isHopeless()) return Optional.empty();
    boolean isComplete = wanted == ALL ? hasAll && left.isEmpty() && overloaded.isEmpty() : hasEnough;
    return Optional.of(
        new Replies(
            List.copyOf(replies),
            List.copyOf(left),
            List.copyOf(overloaded),
            hasEnough || waiting == null ? List.of() : List.copyOf(waiting),
            timedOut,
            isComplete));
  }

  /** Whether fewer replies than requested are still possible (Q5). */
  private boolean isHopeless() {
    return wanted != ALL && waiting != null && replies.size() + waiting.size() < wanted;
  }
}
