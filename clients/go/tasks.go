package spreadsidecar

import "sync"

// tasks counts the goroutines of an object, so that closing it can wait until none is left. One that is inside a
// function of the application is not waited for: that function may be what closes the object.
type tasks struct {
	mu      sync.Mutex
	running int
	none    chan struct{}
}

// begin runs a function in a goroutine of its own.
func (t *tasks) begin(task func()) {
	t.add(1)
	go func() {
		defer t.add(-1)
		task()
	}()
}

// apart runs a function of the application in a task.
func (t *tasks) apart(callback func()) {
	t.add(-1)
	defer t.add(1)
	callback()
}

// wait returns when no task runs.
func (t *tasks) wait() {
	t.mu.Lock()
	if t.running == 0 {
		t.mu.Unlock()
		return
	}
	if t.none == nil {
		t.none = make(chan struct{})
	}
	none := t.none
	t.mu.Unlock()
	<-none
}

func (t *tasks) add(change int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running += change
	if t.running == 0 && t.none != nil {
		close(t.none)
		t.none = nil
	}
}
