package spreadsidecar

import (
	"sync"
	"time"
)

// callbackTime is how long a function of the application is waited for when its mailbox is closed. It may be that
// function which closes it: that can't be told, and waiting for it would never end.
const callbackTime = 250 * time.Millisecond

// tasks counts the goroutines of an object, so that closing it can wait until none is left.
type tasks struct {
	mu      sync.Mutex
	running int
	// apart is how many of them are inside a function of the application.
	apart int
	// changed is closed at the next change of the counts; nil while nobody waits.
	changed chan struct{}
}

// begin runs a function in a goroutine of its own.
func (t *tasks) begin(task func()) {
	t.count(1, 0)
	go func() {
		defer t.count(-1, 0)
		task()
	}()
}

// callback runs a function of the application in a task.
func (t *tasks) callback(function func()) {
	t.count(0, 1)
	defer t.count(0, -1)
	function()
}

// wait returns when no task runs, or none but those that stay in a function of the application.
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
		changed, onlyApart := t.changed, t.running == t.apart
		t.mu.Unlock()
		switch {
		case !onlyApart:
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

func (t *tasks) count(running, apart int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running += running
	t.apart += apart
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}
