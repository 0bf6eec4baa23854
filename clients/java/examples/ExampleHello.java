// region hello
import static java.nio.charset.StandardCharsets.UTF_8;

import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.NameConflict;
import org.spreadsidecar.client.ServiceType;
import org.spreadsidecar.client.SidecarOptions;
import org.spreadsidecar.client.SpreadEvent;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadSidecar;

/** Joins a group, sends it a message and receives it: hello [target]. */
public final class ExampleHello {
  public static void main(String[] args) {
    String target = args.length > 0 ? args[0] : SidecarOptions.DEFAULT_TARGET;
    MailboxOptions options = new MailboxOptions().privateName("hello").onNameConflict(NameConflict.SUFFIX);
    try (SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions().target(target));
        Mailbox mailbox = sidecar.connect(options)) {
      mailbox.joinAndAwaitView("greetings");
      mailbox.multicast(ServiceType.AGREED, "greetings", "hello, group".getBytes(UTF_8));
      for (SpreadEvent event : mailbox)
        if (event instanceof RegularMessage message) {
          System.out.printf("%s to %s: %s%n", message.sender(), message.groups().get(0), message.text());
          break;
        }
    }
  }
}
// endregion
