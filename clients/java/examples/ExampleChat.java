import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import org.spreadsidecar.client.AdvancedMessageListener;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.NameConflict;
import org.spreadsidecar.client.ServiceType;
import org.spreadsidecar.client.SidecarOptions;
import org.spreadsidecar.client.SpreadEvent.MembershipMessage;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadEvent.ViewMessage;
import org.spreadsidecar.client.SpreadSidecar;

/**
 * Sends each line of standard input to a group, and prints the messages of the group: chat [target] [name] [group].
 */
public final class ExampleChat {
  public static void main(String[] args) throws IOException {
    String target = args.length > 0 ? args[0] : SidecarOptions.DEFAULT_TARGET;
    String name = args.length > 1 ? args[1] : "";
    String group = args.length > 2 ? args[2] : "chat";
    try (SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions().target(target));
        Mailbox mailbox = sidecar.connect(new MailboxOptions().privateName(name).onNameConflict(NameConflict.SUFFIX))) {
      // region listener
      mailbox.add(
          new AdvancedMessageListener() {
            @Override
            public void regularMessageReceived(RegularMessage message) {
              System.out.println(message.sender() + ": " + message.text());
            }

            @Override
            public void membershipMessageReceived(MembershipMessage message) {
              if (message instanceof ViewMessage view)
                System.out.println(view.cause() + " " + view.changedMembers() + ", now " + view.members().size());
            }
          });
      // endregion
      mailbox.join(group);
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
      for (String line; (line = in.readLine()) != null; )
        mailbox.multicast(ServiceType.AGREED, group, line.getBytes(UTF_8));
      mailbox.disconnect(true, false);
    }
  }
}
