// Workers share jobs without a coordinator: workers [target]
//
// All workers receive jobs, results and views in the same order. Therefore each worker can compute the owner
// of each job by itself, and all workers compute the same owner. The jobs of a worker that leaves are
// assigned again.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
)

const (
	jobs    = "jobs"
	results = "results"
	// jobType and resultType are the message types.
	jobType    = 1
	resultType = 2
	jobCount   = 12
)

// assignment is an unfinished job and its owner.
type assignment struct {
	job   string
	owner string
}

// board is the state of all jobs. It is the same for all workers that have received the same events.
type board struct {
	members []string
	open    []*assignment
	turn    int
}

// see applies an event and returns the jobs with a new owner.
func (b *board) see(event spreadsidecar.Event) []*assignment {
	var unowned []*assignment
	switch event := event.(type) {
	case *spreadsidecar.ViewMessage:
		b.members = event.Members
		// The unfinished jobs of workers that left are assigned again.
		for _, one := range b.open {
			if !slices.Contains(b.members, one.owner) {
				unowned = append(unowned, one)
			}
		}
	case *spreadsidecar.RegularMessage:
		if event.MessageType == jobType {
			one := &assignment{job: event.Text()}
			b.open = append(b.open, one)
			unowned = append(unowned, one)
		} else {
			b.open = slices.DeleteFunc(b.open, func(one *assignment) bool { return one.job == event.Text() })
		}
	}
	for _, one := range unowned {
		one.owner = b.members[b.turn%len(b.members)]
		b.turn++
	}
	return unowned
}

// work does jobs. It leaves when it is assigned more than most jobs.
func work(ctx context.Context, mailbox *spreadsidecar.Mailbox, most int) error {
	known := &board{}
	done := 0
	for event, err := range mailbox.Events(ctx) {
		if err != nil {
			return err
		}
		for _, one := range known.see(event) {
			if one.owner != mailbox.PrivateGroup() {
				continue
			}
			if done == most {
				return mailbox.Close()
			}
			done++
			groups := []string{jobs, results}
			if _, err := mailbox.MultigroupMulticast(ctx, spreadsidecar.AgreedMess, groups, []byte(one.job), resultType); err != nil {
				return err
			}
		}
	}
	return nil
}

func open(ctx context.Context, sidecar *spreadsidecar.Sidecar, name, group string) (*spreadsidecar.Mailbox, error) {
	mailbox, err := sidecar.Connect(ctx, spreadsidecar.MailboxOptions{
		PrivateName:    name,
		OnNameConflict: spreadsidecar.SuffixOnConflict,
	})
	if err != nil {
		return nil, err
	}
	_, err = mailbox.JoinAndAwaitView(ctx, group)
	return mailbox, err
}

func run(ctx context.Context, target string) error {
	sidecar, err := spreadsidecar.New(spreadsidecar.Options{Target: target})
	if err != nil {
		return err
	}
	var workers sync.WaitGroup
	defer workers.Wait()
	// Close ends the mailboxes, which ends the loops of the workers.
	defer sidecar.Close()
	for number, most := range []int{2, jobCount, jobCount} {
		mailbox, err := open(ctx, sidecar, fmt.Sprintf("worker%d", number), jobs)
		if err != nil {
			return err
		}
		workers.Add(1)
		go func() {
			defer workers.Done()
			if err := work(ctx, mailbox, most); err != nil {
				log.Print(err)
			}
		}()
	}
	boss, err := open(ctx, sidecar, "boss", results)
	if err != nil {
		return err
	}
	for number := range jobCount {
		job := fmt.Appendf(nil, "job %d", number)
		if _, err := boss.Multicast(ctx, spreadsidecar.AgreedMess, jobs, job, jobType); err != nil {
			return err
		}
	}
	for missing := jobCount; missing > 0; {
		event, err := boss.Receive(ctx)
		if err != nil {
			return err
		}
		if result, ok := event.(*spreadsidecar.RegularMessage); ok {
			fmt.Printf("%s was done by %s\n", result.Text(), result.Sender)
			missing--
		}
	}
	return nil
}

func main() {
	target := spreadsidecar.DefaultTarget
	if len(os.Args) > 1 {
		target = os.Args[1]
	}
	if err := run(context.Background(), target); err != nil {
		log.Fatal(err)
	}
}
