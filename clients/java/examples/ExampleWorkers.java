import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.NameConflict;
import org.spreadsidecar.client.OutgoingMessage;
import org.spreadsidecar.client.ServiceType;
import org.spreadsidecar.client.SidecarOptions;
import org.spreadsidecar.client.SpreadEvent;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadEvent.ViewMessage;
import org.spreadsidecar.client.SpreadSidecar;

/**
 * Three workers share jobs without a coordinator: workers [target]. All workers receive jobs, results and views in
 * the same order. Therefore each worker can compute the owner of each job by itself, and all workers compute the same
 * owner. The jobs of a worker that leaves are assigned again.
 */
public final class ExampleWorkers {
  private static final int JOBS = 12;
  private static final int JOB = 1;
  private static final int RESULT = 2;

  private static OutgoingMessage message(int type, String text) {
    return new OutgoingMessage(ServiceType.AGREED, List.of("workers"), text.getBytes(UTF_8), type, false);
  }

  public static void main(String[] args) throws InterruptedException {
    String target = args.length > 0 ? args[0] : SidecarOptions.DEFAULT_TARGET;
    CountDownLatch done = new CountDownLatch(JOBS);
    try (SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions().target(target))) {
      for (int i = 1; i <= 3; i += 1) {
        Mailbox mailbox = sidecar.connect(new MailboxOptions().privateName("worker" + i).onNameConflict(NameConflict.SUFFIX));
        mailbox.joinAndAwaitView("workers");
        mailbox.add(new Worker(mailbox, done, i == 1 ? 2 : JOBS)::onEvent);
      }
      try (Mailbox boss = sidecar.connect(new MailboxOptions().privateName("boss").onNameConflict(NameConflict.SUFFIX).membership(false))) {
        for (int job = 1; job <= JOBS; job += 1)
          boss.multicast(message(JOB, "job " + job), null);
        if (!done.await(20, TimeUnit.SECONDS)) throw new IllegalStateException("not all jobs were done within 20 seconds");
      }
    }
  }

  // region workers
  private static final class Worker {
    private final Mailbox mailbox;
    private final CountDownLatch done;
    private final int most;
    private final Map<String, String> owners = new LinkedHashMap<>();
    private List<String> members = List.of();
    private int turn;
    private int did;

    /** @param most the worker leaves when it is assigned more jobs */
    Worker(Mailbox mailbox, CountDownLatch done, int most) {
      this.mailbox = mailbox;
      this.done = done;
      this.most = most;
    }

    void onEvent(SpreadEvent event) {
      List<String> unowned = List.of();
      if (event instanceof ViewMessage view) {
        members = view.members();
        // The unfinished jobs of workers that left are assigned again.
        unowned = owners.entrySet().stream().filter(job -> !members.contains(job.getValue())).map(Map.Entry::getKey).toList();
      } else if (event instanceof RegularMessage message) {
        if (message.messageType() == JOB) unowned = List.of(message.text());
        else owners.remove(message.text());
      }
      for (String job : unowned) {
        String owner = members.get(turn % members.size());
        turn += 1;
        owners.put(job, owner);
        if (!owner.equals(mailbox.privateGroup())) continue;
        if (did == most) {
          mailbox.disconnect();
          return;
        }
        did += 1;
        System.out.println(job + " was done by " + owner);
        done.countDown();
        mailbox.multicast(message(RESULT, job), null);
      }
    }
  }

  // endregion
}
