// The conformance driver of the Go client. test/conformance/README.md describes its protocol.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	spread "github.com/spread-sidecar/spread-sidecar/clients/go"
)

// closeTime is the maximum time to close everything.
const closeTime = 4 * time.Second

type request struct {
	ID   int64  `json:"id"`
	Op   string `json:"op"`
	Args args   `json:"args"`
}

// answers writes one line at a time.
type answers struct {
	mu  sync.Mutex
	out *json.Encoder
}

func (a *answers) write(line any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.out.Encode(line); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// driver has the active requests by ID, and the last started request of each mailbox,
// sender and object for requests and replies.
type driver struct {
	answers answers
	things  things

	mu      sync.Mutex
	running map[int64]context.CancelFunc
	last    map[string]*begun
}

func main() {
	d := &driver{
		answers: answers{out: json.NewEncoder(os.Stdout)},
		things:  newThings(),
		running: map[int64]context.CancelFunc{},
		last:    map[string]*begun{},
	}
	d.answers.out.SetEscapeHTML(false)
	d.answers.write(plain{"ready": true, "language": "go", "version": spread.ClientVersion})
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			d.answers.write(plain{"id": r.ID, "error": toError(fmt.Errorf("the request can't be read: %w", err))})
			continue
		}
		d.accept(r)
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		d.things.closeAll()
	}()
	select {
	case <-closed:
	case <-time.After(closeTime):
	}
}

func (d *driver) accept(r request) {
	if r.Op == "cancel" {
		d.mu.Lock()
		cancel := d.running[r.Args.Op]
		d.mu.Unlock()
		if cancel != nil {
			cancel()
		}
		d.answers.write(plain{"id": r.ID, "ok": plain{}})
		return
	}
	if r.Op == "open" {
		// Opening makes no call, and later requests use the name of the opened object.
		result, err := d.things.open(&r.Args)
		d.answer(r.ID, result, err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if r.Args.TimeoutMs != nil && r.Op != "request" {
		ctx, cancel = context.WithTimeout(context.Background(), millis(r.Args.TimeoutMs))
	}
	own := newBegun()
	d.mu.Lock()
	d.running[r.ID] = cancel
	var before []*begun
	for kind, name := range map[string]string{"mailbox": r.Args.Mailbox, "sender": r.Args.Sender, "calls": r.Args.Calls} {
		if name == "" {
			continue
		}
		key := kind + " " + name
		if last := d.last[key]; last != nil {
			before = append(before, last)
		}
		d.last[key] = own
	}
	d.mu.Unlock()
	go func() {
		defer cancel()
		for _, other := range before {
			<-other.done
		}
		result, err := d.things.carryOut(ctx, own, r)
		own.tell()
		d.mu.Lock()
		delete(d.running, r.ID)
		d.mu.Unlock()
		d.answer(r.ID, result, err)
	}()
}

func (d *driver) answer(id int64, result plain, err error) {
	switch {
	case err != nil:
		d.answers.write(plain{"id": id, "error": toError(err)})
	case result == nil:
		d.answers.write(plain{"id": id, "ok": plain{}})
	default:
		d.answers.write(plain{"id": id, "ok": result})
	}
}
