package org.spreadsidecar.client;

import java.util.List;
import org.spreadsidecar.client.SpreadEvent.ConnectionLost;
import org.spreadsidecar.client.SpreadEvent.ConnectionRestored;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadEvent.RejectedMessage;
import org.spreadsidecar.client.SpreadEvent.SelfLeaveMessage;
import org.spreadsidecar.client.SpreadEvent.TransitionalMessage;
import org.spreadsidecar.client.SpreadEvent.ViewMessage;
import org.spreadsidecar.v1.Event;
import org.spreadsidecar.v1.MembershipView;

/** Converts events of the contract. */
final class Events {
  private Events() {}

  /** Null for an event that this release does not know. */
  static SpreadEvent of(Event event) {
    long sequence = event.getSequence();
    switch (event.getKindCase()) {
      case REGULAR_MESSAGE:
        {
          var message = event.getRegularMessage();
          return new RegularMessage(
              sequence,
              message.getSender(),
              List.copyOf(message.getGroupsList()),
              ServiceType.of(message.getServiceType()),
              message.getMessageType(),
              message.getPayload().toByteArray(),
              message.getEndianMismatch(),
              message.getSelfDiscard(),
              Headers.copyOf(message.getHeadersCount() == 0 ? null : message.getHeadersMap()));
        }
      case MEMBERSHIP_VIEW:
        return view(sequence, event.getMembershipView());
      case TRANSITIONAL_SIGNAL:
        {
          var signal = event.getTransitionalSignal();
          return new TransitionalMessage(sequence, signal.getGroup(), groupId(signal.getGroupId()));
        }
      case SELF_LEAVE:
        return new SelfLeaveMessage(sequence, event.getSelfLeave().getGroup());
      case REJECTED_MESSAGE:
        {
          var message = event.getRejectedMessage();
          int operation = event.getRejectedMessage().getOperationValue();
          return new RejectedMessage(
              sequence,
              operation >= 1 && operation <= 3 ? RejectedOperation.values()[operation - 1] : null,
              message.getSender(),
              List.copyOf(message.getGroupsList()),
              ServiceType.of(message.getServiceType()),
              message.getMessageType(),
              message.getPayload().toByteArray(),
              Headers.copyOf(message.getHeadersMap()));
        }
      case CONNECTION_LOST:
        {
          var lost = event.getConnectionLost();
          return new ConnectionLost(
              sequence, lost.getPrivateGroup(), List.copyOf(lost.getGroupsList()), lost.getSpreadCode());
        }
      case CONNECTION_RESTORED:
        {
          var restored = event.getConnectionRestored();
          return new ConnectionRestored(
              sequence,
              restored.getPreviousPrivateGroup(),
              restored.getPrivateGroup(),
              List.copyOf(restored.getGroupsList()),
              restored.getDaemon());
        }
      default:
        return null;
    }
  }

  static ViewMessage view(long sequence, MembershipView view) {
    int cause = view.getCauseValue();
    return new ViewMessage(
        sequence,
        view.getGroup(),
        groupId(view.getGroupId()),
        cause >= 1 && cause <= 4 ? MembershipCause.values()[cause - 1] : null,
        List.copyOf(view.getMembersList()),
        view.getOwnIndex(),
        List.copyOf(view.getChangedMembersList()),
        view.getVirtualSynchronySetsList().stream()
            .map(set -> new VirtualSynchronySet(List.copyOf(set.getMembersList()), set.getMine()))
            .toList());
  }

  private static GroupId groupId(org.spreadsidecar.v1.GroupId id) {
    return new GroupId(Integer.toUnsignedLong(id.getDaemonId()), id.getTime(), id.getIndex());
  }

  /** Approximate memory of an event. Unit: bytes. */
  static long weight(SpreadEvent event) {
    if (event instanceof RegularMessage message) return message.payload().length + Headers.weight(message.headers()) + 256L;
    if (event instanceof ViewMessage view) return 64L * view.members().size() + 256L;
    return 256;
  }
}
