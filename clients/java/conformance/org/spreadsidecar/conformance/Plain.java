package org.spreadsidecar.conformance;

import static org.spreadsidecar.conformance.Protocol.ordered;

import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.spreadsidecar.client.GroupId;
import org.spreadsidecar.client.Notice;
import org.spreadsidecar.client.SpreadEvent;
import org.spreadsidecar.client.SpreadEvent.ConnectionLost;
import org.spreadsidecar.client.SpreadEvent.ConnectionRestored;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadEvent.RejectedMessage;
import org.spreadsidecar.client.SpreadEvent.SelfLeaveMessage;
import org.spreadsidecar.client.SpreadEvent.TransitionalMessage;
import org.spreadsidecar.client.SpreadEvent.ViewMessage;
import org.spreadsidecar.client.VersionTriple;

/** Converts objects of the client to the protocol. */
final class Plain {
  private Plain() {}

  static Map<String, Object> event(SpreadEvent event) {
    long sequence = event.sequence();
    if (event instanceof RegularMessage e)
      return ordered(
          "kind", "regular", "sequence", sequence, "sender", e.sender(), "groups", e.groups(),
          "serviceType", name(e.serviceType()), "messageType", e.messageType(), "payload", base64(e.payload()),
          "endianMismatch", e.endianMismatch(), "selfDiscard", e.selfDiscard(), "headers", e.headers());
    if (event instanceof RejectedMessage e)
      return ordered(
          "kind", "rejected", "sequence", sequence, "operation", name(e.operation()), "sender", e.sender(),
          "groups", e.groups(), "serviceType", name(e.serviceType()), "messageType", e.messageType(),
          "payload", base64(e.payload()), "headers", e.headers());
    if (event instanceof ViewMessage e)
      return ordered(
          "kind", "view", "sequence", sequence, "group", e.group(), "groupId", id(e.groupId()),
          "cause", name(e.cause()), "members", e.members(), "ownIndex", e.ownIndex(),
          "changedMembers", e.changedMembers(),
          "sets", e.sets().stream().map(set -> ordered("members", set.members(), "mine", set.mine())).toList());
    if (event instanceof TransitionalMessage e)
      return ordered("kind", "transitional", "sequence", sequence, "group", e.group(), "groupId", id(e.groupId()));
    if (event instanceof SelfLeaveMessage e) return ordered("kind", "selfLeave", "sequence", sequence, "group", e.group());
    if (event instanceof ConnectionLost e)
      return ordered(
          "kind", "connectionLost", "sequence", sequence, "privateGroup", e.privateGroup(), "groups", e.groups(),
          "spreadCode", e.spreadCode());
    ConnectionRestored e = (ConnectionRestored) event;
    return ordered(
        "kind", "connectionRestored", "sequence", sequence, "previousPrivateGroup", e.previousPrivateGroup(),
        "privateGroup", e.privateGroup(), "groups", e.groups(), "daemon", e.daemon());
  }

  static Map<String, Object> notice(Notice notice) {
    if (notice instanceof Notice.Attached) return ordered("kind", "attached");
    if (notice instanceof Notice.Detached n) return ordered("kind", "detached", "error", Protocol.errorOf(n.error()));
    if (notice instanceof Notice.SlowConsumer n)
      return ordered(
          "kind", "slowConsumer", "queuedEvents", n.queuedEvents(), "queuedBytes", n.queuedBytes(),
          "timeLeftMs", n.timeLeft().map(left -> left.toMillis()).orElse(null));
    Notice.Ended ended = (Notice.Ended) notice;
    return ordered("kind", "ended", "error", ended.error().map(Protocol::errorOf).orElse(null));
  }

  static List<Integer> version(VersionTriple version) {
    return List.of(version.major(), version.minor(), version.patch());
  }

  private static List<Long> id(GroupId id) {
    return List.of(id.daemonId(), (long) id.time(), (long) id.index());
  }

  private static String name(Enum<?> value) {
    return value == null ? null : value.name();
  }

  static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
