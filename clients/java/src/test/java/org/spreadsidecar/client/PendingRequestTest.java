package org.spreadsidecar.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.spreadsidecar.client.PendingRequest.Status;

/** The same examples as the unit test of the TypeScript client. */
class PendingRequestTest {
  private static final String A = "#a#n";
  private static final String B = "#b#n";
  private static final String C = "#c#n";

  private static boolean answer(PendingRequest pending, Status status, String sender) {
    return pending.answer(status, new Reply(sender, new byte[] {'x'}, Map.of(), Optional.empty()));
  }

  private static void assertOpen(PendingRequest pending) {
    assertTrue(pending.result().isEmpty());
  }

  /** Checks the result without payloads. */
  private static void assertResult(
      PendingRequest pending,
      List<String> replied,
      List<String> left,
      List<String> overloaded,
      List<String> missing,
      boolean timedOut,
      boolean complete) {
    Replies result = pending.result().orElseThrow();
    assertEquals(replied, result.replies().stream().map(Reply::sender).toList());
    assertEquals(left, result.left());
    assertEquals(overloaded, result.overloaded());
    assertEquals(missing, result.missing());
    assertEquals(timedOut, result.timedOut());
    assertEquals(complete, result.complete());
  }

  private static final List<String> NONE = List.of();

  @Test
  void aRequestForANumberOfRepliesEndsWithThisNumber() {
    PendingRequest pending = new PendingRequest("g", 2);
    answer(pending, Status.OK, A);
    assertOpen(pending);
    answer(pending, Status.ERROR, B);
    assertResult(pending, List.of(A, B), NONE, NONE, NONE, false, true);
  }

  @Test
  void aRequestForANumberOfRepliesCountsEachMemberOnce() {
    PendingRequest pending = new PendingRequest("g", 2);
    assertTrue(answer(pending, Status.OK, A));
    assertFalse(answer(pending, Status.OK, A));
    assertOpen(pending);
  }

  @Test
  void aRequestForANumberOfRepliesEndsWhenFewerRepliesArePossible() {
    PendingRequest pending = new PendingRequest("g", 2);
    pending.delivered(List.of(A, B, C));
    answer(pending, Status.NOT_SERVING, A);
    assertOpen(pending);
    pending.view(Set.of(A, C));
    assertResult(pending, NONE, List.of(B), NONE, List.of(C), false, false);
  }

  @Test
  void aRequestForANumberOfRepliesEndsWithTheTimeoutIfTheMembersAreNotKnown() {
    PendingRequest pending = new PendingRequest("g", 2);
    answer(pending, Status.OK, A);
    pending.view(Set.of());
    assertOpen(pending);
    pending.timeOut();
    assertResult(pending, List.of(A), NONE, NONE, NONE, true, false);
  }

  @Test
  void aRequestToAllMembersEndsWhenEachMemberHasRepliedDeclinedOrLeft() {
    PendingRequest pending = new PendingRequest("g", PendingRequest.ALL);
    pending.delivered(List.of(A, B, C));
    answer(pending, Status.OK, A);
    answer(pending, Status.NOT_SERVING, C);
    assertOpen(pending);
    pending.view(Set.of(A, C));
    assertResult(pending, List.of(A), List.of(B), NONE, NONE, false, false);
  }

  @Test
  void aRequestToAllMembersIsCompleteIfNoMemberLeftOrRejectedIt() {
    PendingRequest pending = new PendingRequest("g", PendingRequest.ALL);
    pending.delivered(List.of(A, C));
    answer(pending, Status.OK, A);
    answer(pending, Status.NOT_SERVING, C);
    assertResult(pending, List.of(A), NONE, NONE, NONE, false, true);
  }

  @Test
  void aRequestToAllMembersCountsRepliesThatArriveBeforeTheOwnRequest() {
    PendingRequest pending = new PendingRequest("g", PendingRequest.ALL);
    answer(pending, Status.OK, A);
    assertOpen(pending);
    pending.delivered(List.of(A));
    assertResult(pending, List.of(A), NONE, NONE, NONE, false, true);
  }

  @Test
  void aRequestToAllMembersEndsAtOnceWithoutOtherMembers() {
    PendingRequest pending = new PendingRequest("g", PendingRequest.ALL);
    pending.delivered(List.of());
    assertResult(pending, NONE, NONE, NONE, NONE, false, true);
  }

  @Test
  void aRequestToAllMembersListsMembersThatHaveTooManyRequests() {
    PendingRequest pending = new PendingRequest("g", PendingRequest.ALL);
    pending.delivered(List.of(A));
    answer(pending, Status.OVERLOADED, A);
    assertResult(pending, NONE, NONE, List.of(A), NONE, false, false);
  }

  @Test
  void aRequestToAllMembersListsMissingMembersAfterTheTimeout() {
    PendingRequest pending = new PendingRequest("g", PendingRequest.ALL);
    pending.delivered(List.of(A, B));
    answer(pending, Status.OK, B);
    pending.timeOut();
    assertResult(pending, List.of(B), NONE, NONE, List.of(A), true, false);
  }

  @Test
  void aRequestToAPrivateGroupWaitsForOneReply() {
    PendingRequest pending = new PendingRequest(A, PendingRequest.ALL);
    answer(pending, Status.OK, A);
    assertResult(pending, List.of(A), NONE, NONE, NONE, false, true);
  }

  @Test
  void aRequestToAPrivateGroupEndsWhenTheMemberDisconnects() {
    PendingRequest pending = new PendingRequest(A, 1);
    pending.disconnected(B);
    pending.view(Set.of(B));
    assertOpen(pending);
    pending.disconnected(A);
    assertResult(pending, NONE, List.of(A), NONE, NONE, false, false);
  }
}
