package requestreply

// ServiceQueue decides when the handlers of a service run: in the order in which the requests were delivered, with a
// limit of handlers that run at the same time (Q8).
type ServiceQueue[Request any] struct {
	concurrency int
	maxQueued   int
	waiting     []Request
	running     int
	isStopped   bool
}

// NewServiceQueue returns a queue with limits of running handlers and of waiting requests.
func NewServiceQueue[Request any](concurrency, maxQueued int) *ServiceQueue[Request] {
	return &ServiceQueue[Request]{concurrency: concurrency, maxQueued: maxQueued}
}

// Decision is what to do with a request.
type Decision int

const (
	// Wait: the request waits in the queue.
	Wait Decision = iota
	// Run: the caller runs the handler, then calls Next.
	Run
	// Reject: too many requests wait.
	Reject
)

// Add adds a request.
func (q *ServiceQueue[Request]) Add(request Request) Decision {
	switch {
	case q.running < q.concurrency:
		q.running++
		return Run
	case len(q.waiting) >= q.maxQueued:
		return Reject
	}
	q.waiting = append(q.waiting, request)
	return Wait
}

// Next returns the next request after the end of a handler. The second result is false if none waits.
func (q *ServiceQueue[Request]) Next() (next Request, ok bool) {
	if q.isStopped || len(q.waiting) == 0 {
		q.running--
		return next, false
	}
	var none Request
	next, q.waiting[0] = q.waiting[0], none
	q.waiting = q.waiting[1:]
	return next, true
}

// Stop starts no further handler. It returns the requests that wait.
func (q *ServiceQueue[Request]) Stop() []Request {
	waiting := q.waiting
	q.isStopped, q.waiting = true, nil
	return waiting
}
