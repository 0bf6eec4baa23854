import java.util.List;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.NameConflict;
import org.spreadsidecar.client.MembershipCause;
import org.spreadsidecar.client.SidecarOptions;
import org.spreadsidecar.client.SpreadEvent;
import org.spreadsidecar.client.SpreadEvent.SelfLeaveMessage;
import org.spreadsidecar.client.SpreadEvent.ViewMessage;
import org.spreadsidecar.client.SpreadSidecar;
import org.spreadsidecar.client.VirtualSynchronySet;

/** Prints how another mailbox joins and leaves a group: membership [target]. */
public final class ExampleMembership {
  public static void main(String[] args) {
    String target = args.length > 0 ? args[0] : SidecarOptions.DEFAULT_TARGET;
    try (SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions().target(target));
        Mailbox watcher = sidecar.connect(new MailboxOptions().privateName("watcher").onNameConflict(NameConflict.SUFFIX))) {
      watcher.joinAndAwaitView("members");
      Mailbox guest = sidecar.connect(new MailboxOptions().privateName("guest").onNameConflict(NameConflict.SUFFIX));
      guest.joinAndAwaitView("members");
      guest.leave("members", true, null);
      guest.joinAndAwaitView("members");
      guest.disconnect();
      watch(watcher);
    }
  }

  // region views
  private static void watch(Mailbox mailbox) {
    boolean alone = false;
    for (SpreadEvent event : mailbox) {
      if (event instanceof ViewMessage view) {
        List<String> changed = view.changedMembers();
        System.out.println(view.cause() + " " + changed + " -> " + view.members() + ", I am " + view.ownIndex());
        // After a NETWORK view: the members that moved together from the previous view.
        if (view.cause() == MembershipCause.NETWORK)
          for (VirtualSynchronySet set : view.sets())
            System.out.println((set.mine() ? "  with me: " : "  others: ") + set.members());
        alone = view.members().size() == 1 && view.cause() == MembershipCause.DISCONNECT;
      }
      if (event instanceof SelfLeaveMessage) return;
      if (alone) mailbox.leave("members");
    }
  }
  // endregion
}
