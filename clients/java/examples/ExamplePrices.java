// region prices
import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import org.spreadsidecar.client.HandlerReply;
import org.spreadsidecar.client.Replies;
import org.spreadsidecar.client.RequestOptions;
import org.spreadsidecar.client.RequestReply;
import org.spreadsidecar.client.SidecarOptions;
import org.spreadsidecar.client.SpreadSidecar;

/** Serves a group, and sends a request to all its members: prices [target]. */
public final class ExamplePrices {
  public static void main(String[] args) {
    String target = args.length > 0 ? args[0] : SidecarOptions.DEFAULT_TARGET;
    try (SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions().target(target));
        RequestReply server = sidecar.openRequestReply();
        RequestReply client = sidecar.openRequestReply()) {
      server.serve("prices", request -> HandlerReply.of(request.text() + " costs 5 EUR"));
      RequestOptions options = new RequestOptions().allReplies().timeout(Duration.ofSeconds(5));
      Replies result = client.request("prices", "tea".getBytes(UTF_8), options);
      result.replies().forEach(reply -> System.out.println(reply.text()));
      System.out.println("complete: " + result.complete() + ", left: " + result.left());
    }
  }
}
// endregion
