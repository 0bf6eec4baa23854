// Package requestreply has the state of requests and services, without I/O. The numbers in its comments, such as
// Q3, are those of the project's docs/request-reply.md.
package requestreply

import (
	"slices"
	"strings"
)

// AllMembers is the wanted number of replies of a request to all members.
const AllMembers = -1

// Status is what a member answers.
type Status string

// The values of the header reply-status (Q2).
const (
	// OK: the handler returned a reply. The message has no header reply-status.
	OK Status = ""
	// Failed: the handler failed.
	Failed Status = "error"
	// NotServing: the member has no handler for the group.
	NotServing Status = "not-serving"
	// Overloaded: too many requests wait for the handler.
	Overloaded Status = "overloaded"
)

// PendingRequest is the state of an open request: which members must answer, and what they answered (Q3 to Q7).
type PendingRequest[Reply any] struct {
	// Target is a group or a private group.
	Target string
	// wanted is the number of replies, or AllMembers.
	wanted    int
	isPrivate bool

	replies    []Reply
	left       []string
	overloaded []string
	// answered has all members whose answer arrived, also before the members were known.
	answered map[string]struct{}
	// expected has the members that must answer, in the order of the view. Nil while they are not known.
	expected []string
	// waiting has the expected members that have not answered.
	waiting  map[string]struct{}
	timedOut bool
}

// Result is the result of a request.
type Result[Reply any] struct {
	Replies    []Reply
	Left       []string
	Overloaded []string
	Missing    []string
	TimedOut   bool
	Complete   bool
}

// NewPendingRequest returns the state of a request for a number of replies, or of AllMembers.
func NewPendingRequest[Reply any](target string, wanted int) *PendingRequest[Reply] {
	p := &PendingRequest[Reply]{Target: target, wanted: wanted, answered: map[string]struct{}{}}
	if IsPrivate(target) {
		p.isPrivate, p.wanted = true, 1
		p.expect([]string{target})
	}
	return p
}

// IsPrivate reports whether a target is a private group.
func IsPrivate(target string) bool { return strings.HasPrefix(target, "#") }

// Delivered records that the requester received its own request. These members of the view got it too (Q3).
func (p *PendingRequest[Reply]) Delivered(members []string) {
	if p.waiting != nil {
		return
	}
	p.expect(members)
	for member := range p.answered {
		delete(p.waiting, member)
	}
}

func (p *PendingRequest[Reply]) expect(members []string) {
	p.expected = members
	p.waiting = make(map[string]struct{}, len(members))
	for _, member := range members {
		p.waiting[member] = struct{}{}
	}
}

// View records a later view of the group (Q4).
func (p *PendingRequest[Reply]) View(members map[string]struct{}) {
	if p.isPrivate {
		return
	}
	for _, member := range p.Missing() {
		if _, isMember := members[member]; !isMember {
			p.leave(member)
		}
	}
}

// Disconnected records that a member disconnected, or that a partition separated it (Q5).
func (p *PendingRequest[Reply]) Disconnected(member string) {
	if _, isWaiting := p.waiting[member]; p.isPrivate && isWaiting {
		p.leave(member)
	}
}

func (p *PendingRequest[Reply]) leave(member string) {
	delete(p.waiting, member)
	p.left = append(p.left, member)
}

// Answer records an answer of a member. It returns false for a second one (Q7).
func (p *PendingRequest[Reply]) Answer(status Status, sender string, reply Reply) bool {
	if _, isSecond := p.answered[sender]; isSecond {
		return false
	}
	p.answered[sender] = struct{}{}
	delete(p.waiting, sender)
	switch status {
	case Overloaded:
		p.overloaded = append(p.overloaded, sender)
	case NotServing:
	default:
		p.replies = append(p.replies, reply)
	}
	return true
}

// TimeOut records that the timeout passed (Q6).
func (p *PendingRequest[Reply]) TimeOut() { p.timedOut = true }

// Missing has the members that must still answer, in the order of the view. Empty if they are not known.
func (p *PendingRequest[Reply]) Missing() []string {
	return slices.Collect(func(yield func(string) bool) {
		for _, member := range p.expected {
			if _, isWaiting := p.waiting[member]; isWaiting && !yield(member) {
				return
			}
		}
	})
}

// Result returns the result. The second result is false while the request is open.
func (p *PendingRequest[Reply]) Result() (Result[Reply], bool) {
	hasEnough := p.wanted != AllMembers && len(p.replies) >= p.wanted
	hasAll := p.waiting != nil && len(p.waiting) == 0
	if !hasEnough && !hasAll && !p.timedOut && !p.isHopeless() {
		return Result[Reply]{}, false
	}
	result := Result[Reply]{
		Replies:    p.replies,
		Left:       p.left,
		Overloaded: p.overloaded,
		TimedOut:   p.timedOut,
		Complete:   hasEnough,
	}
	if p.wanted == AllMembers {
		result.Complete = hasAll && len(p.left)+len(p.overloaded) == 0
	}
	if !hasEnough {
		result.Missing = p.Missing()
	}
	return result, true
}

// isHopeless reports whether fewer replies than wanted are still possible (Q5).
func (p *PendingRequest[Reply]) isHopeless() bool {
	if p.wanted == AllMembers || p.waiting == nil {
		return false
	}
	return len(p.replies)+len(p.waiting) < p.wanted
}
