package requestreply

import (
	"fmt"
	"slices"
	"testing"
)

const (
	a = "#a#n"
	b = "#b#n"
	c = "#c#n"
)

func request(target string, wanted int) *PendingRequest[string] {
	return NewPendingRequest[string](target, wanted)
}

func answer(p *PendingRequest[string], status Status, senders ...string) (firsts []bool) {
	for _, sender := range senders {
		firsts = append(firsts, p.Answer(status, sender, sender))
	}
	return firsts
}

func set(members ...string) map[string]struct{} {
	result := map[string]struct{}{}
	for _, member := range members {
		result[member] = struct{}{}
	}
	return result
}

func expectOpen(t *testing.T, p *PendingRequest[string]) {
	t.Helper()
	if result, isOver := p.Result(); isOver {
		t.Fatalf("the request has ended: %+v", result)
	}
}

func expectResult(t *testing.T, p *PendingRequest[string], expected Result[string]) {
	t.Helper()
	result, isOver := p.Result()
	if !isOver {
		t.Fatal("the request is open")
	}
	if got, want := fmt.Sprintf("%+v", result), fmt.Sprintf("%+v", expected); got != want {
		t.Errorf("got %s, expected %s", got, want)
	}
}

func TestARequestEndsWithTheNumberOfReplies(t *testing.T) {
	p := request("g", 2)
	answer(p, OK, a)
	expectOpen(t, p)
	answer(p, Failed, b)
	expectResult(t, p, Result[string]{Replies: []string{a, b}, Complete: true})
}

func TestARequestCountsEachMemberOnce(t *testing.T) {
	p := request("g", 2)
	if firsts := answer(p, OK, a, a); !slices.Equal(firsts, []bool{true, false}) {
		t.Error(firsts)
	}
	expectOpen(t, p)
}

func TestARequestEndsWhenFewerRepliesArePossible(t *testing.T) {
	p := request("g", 2)
	p.Delivered([]string{a, b, c})
	answer(p, NotServing, a)
	expectOpen(t, p)
	p.View(set(a, c))
	expectResult(t, p, Result[string]{Left: []string{b}, Missing: []string{c}})
}

func TestARequestEndsWithTheTimeoutIfTheMembersAreNotKnown(t *testing.T) {
	p := request("g", 2)
	answer(p, OK, a)
	p.View(set())
	expectOpen(t, p)
	p.TimeOut()
	expectResult(t, p, Result[string]{Replies: []string{a}, TimedOut: true})
}

func TestARequestToAllEndsWhenEachMemberHasRepliedDeclinedOrLeft(t *testing.T) {
	p := request("g", AllMembers)
	p.Delivered([]string{a, b, c})
	answer(p, OK, a)
	answer(p, NotServing, c)
	expectOpen(t, p)
	p.View(set(a, c))
	expectResult(t, p, Result[string]{Replies: []string{a}, Left: []string{b}})
}

func TestARequestToAllIsCompleteIfNoMemberLeftOrRejectedIt(t *testing.T) {
	p := request("g", AllMembers)
	p.Delivered([]string{a, c})
	answer(p, OK, a)
	answer(p, NotServing, c)
	expectResult(t, p, Result[string]{Replies: []string{a}, Complete: true})
}

func TestARequestToAllCountsRepliesThatArriveBeforeTheOwnRequest(t *testing.T) {
	p := request("g", AllMembers)
	answer(p, OK, a)
	expectOpen(t, p)
	p.Delivered([]string{a})
	expectResult(t, p, Result[string]{Replies: []string{a}, Complete: true})
}

func TestARequestToAllEndsAtOnceWithoutOtherMembers(t *testing.T) {
	p := request("g", AllMembers)
	p.Delivered(nil)
	expectResult(t, p, Result[string]{Complete: true})
}

func TestARequestToAllListsMembersThatHaveTooManyRequests(t *testing.T) {
	p := request("g", AllMembers)
	p.Delivered([]string{a})
	answer(p, Overloaded, a)
	expectResult(t, p, Result[string]{Overloaded: []string{a}})
}

func TestARequestToAllListsMissingMembersAfterTheTimeout(t *testing.T) {
	p := request("g", AllMembers)
	p.Delivered([]string{a, b})
	answer(p, OK, b)
	p.TimeOut()
	expectResult(t, p, Result[string]{Replies: []string{b}, Missing: []string{a}, TimedOut: true})
}

func TestARequestToAPrivateGroupWaitsForOneReply(t *testing.T) {
	p := request(a, AllMembers)
	answer(p, OK, a)
	expectResult(t, p, Result[string]{Replies: []string{a}, Complete: true})
}

func TestARequestToAPrivateGroupEndsWhenTheMemberDisconnects(t *testing.T) {
	p := request(a, 1)
	p.Disconnected(b)
	p.View(set(b))
	expectOpen(t, p)
	p.Disconnected(a)
	expectResult(t, p, Result[string]{Left: []string{a}})
}

func TestAServiceQueueRunsRequestsInOrderWithinItsLimits(t *testing.T) {
	q := NewServiceQueue[int](2, 1)
	var decisions []Decision
	for i := range 4 {
		decisions = append(decisions, q.Add(i))
	}
	if !slices.Equal(decisions, []Decision{Run, Run, Wait, Reject}) {
		t.Error(decisions)
	}
	if next, ok := q.Next(); next != 2 || !ok {
		t.Error(next, ok)
	}
	if _, ok := q.Next(); ok {
		t.Error("another request waits")
	}
	if decision := q.Add(4); decision != Run {
		t.Error(decision)
	}
}

func TestAStoppedServiceQueueStartsNoFurtherHandler(t *testing.T) {
	q := NewServiceQueue[int](1, 2)
	q.Add(1)
	q.Add(2)
	if waiting := q.Stop(); !slices.Equal(waiting, []int{2}) {
		t.Error(waiting)
	}
	if _, ok := q.Next(); ok {
		t.Error("a request waits after the stop")
	}
}
