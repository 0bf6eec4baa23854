package spreadsidecar

import (
	"sync"
	"time"
)

// callbackTime is the maximum time to wait for a callback of the application when its mailbox is closed. That
// callback may itself close the mailbox. The client cannot detect that, and would otherwise wait forever.
const callbackTime = 250 * time.Millisecond

// tasks counts the goroutines of an object, so that closing it can wait for their end.
type tasks struct {
	mu      sync.Mutex
	running int
	// inCallbacks is the number of goroutines inside a callback of the application.
	inCallbacks int
	// changed is closed at the next change of the counts. Nil while no goroutine waits.
	changed chan struct{}
}

// begin runs a function in a new goroutine.
func (t *tasks) begin(task func()) {
	t.count(1, 0)
	go func() {
		defer t.count(-1, 0)
		task()
	}()
}

// callback runs a callback of the application in a task.
func (t *tasks) callback(function func()) {
	t.count(0, 1)
	defer t.count(0, -1)
	function()
}

// wait returns when all tasks have ended, except those that stay in a callback of the application.
func (t *tasks) wait() {
	var patience <-chan time.Time
	for {
		t.mu.Lock()
		if t.running == 0 {
			t.mu.Unlock()
			return
		}
		if t.changed == nil {
			t.changed = make(chan struct{})
		}
		changed, onlyCallbacks := t.changed, t.running == t.inCallbacks
		t.mu.Unlock()
		switch {
		case !onlyCallbacks:
			patience = nil
		case patience == nil:
			patience = time.After(callbackTime)
		}
		select {
		case <-changed:
		case <-patience:
			return
		}
	}
}

func (t *tasks) count(running, inCallbacks int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running += running
	t.inCallbacks += inCallbacks
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}
