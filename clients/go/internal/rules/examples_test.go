package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// examplesOf has the test of each file of test/conformance/rules.
var examplesOf = map[string]func(t *testing.T, data []byte){
	"acknowledgement.json": examples(acknowledgementExample),
	"backoff.json":         examples(backoffExample),
	"calls.json":           examples(callExample),
	"failures.json":        examples(failureExample),
	"lease.json":           examples(leaseExample),
	"receive.json":         examples(receiveExample),
	"sender.json":          examples(senderExample),
}

func TestTheRulesMatchTheirExamples(t *testing.T) {
	_, file, _, _ := runtime.Caller(0)
	folder := filepath.Join(filepath.Dir(file), "../../../../test/conformance/rules")
	found, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if examplesOf[filepath.Base(path)] == nil {
			t.Errorf("%s has no test", filepath.Base(path))
		}
	}
	for name, run := range examplesOf {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			run(t, data)
		})
	}
}

// header has the members of every example.
type header struct {
	Name  string   `json:"name"`
	Rules []string `json:"rules"`
}

func (h header) name() string { return h.Name }

// examples decodes the examples of a file and runs each one.
func examples[Example interface{ name() string }](run func(t *testing.T, example Example)) func(*testing.T, []byte) {
	return func(t *testing.T, data []byte) {
		var file struct {
			Examples []Example `json:"examples"`
		}
		if err := strictly(data, &file); err != nil {
			t.Fatal(err)
		}
		if len(file.Examples) == 0 {
			t.Fatal("the file has no examples")
		}
		for _, example := range file.Examples {
			t.Run(example.name(), func(t *testing.T) { run(t, example) })
		}
	}
}

// strictly decodes JSON without unknown members.
func strictly(data []byte, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("text follows the JSON value")
	}
	return nil
}

// member is a member of a step that can be absent or null.
type member[Value any] struct {
	isSet bool
	value *Value
}

func (m *member[Value]) UnmarshalJSON(data []byte) error {
	m.isSet = true
	return strictly(data, &m.value)
}

// sequence is a number, or a string if it is above 2^53.
type sequence uint64

func (s *sequence) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	value, err := strconv.ParseUint(text, 10, 64)
	*s = sequence(value)
	return err
}

type milliseconds float64

func (m milliseconds) duration() time.Duration {
	return time.Duration(float64(m) * float64(time.Millisecond))
}

// anError is an error as the client raises it.
type anError struct {
	Status    codes.Code        `json:"status"`
	Reason    string            `json:"reason"`
	Retryable bool              `json:"retryable"`
	Metadata  map[string]string `json:"metadata"`
}

func (e *anError) failure() *Failure {
	return &Failure{Status: e.Status, Reason: e.Reason, Retryable: e.Retryable, Metadata: e.Metadata}
}

// most is a draw with which a pause is its maximum.
func most() float64 { return 1 }

func expect[Value comparable](t *testing.T, what string, got, expected Value) {
	t.Helper()
	if got != expected {
		t.Errorf("%s: got %v, expected %v", what, got, expected)
	}
}

// expectOne checks that a step has exactly one of its actions.
func expectOne(t *testing.T, actions ...bool) {
	t.Helper()
	count := 0
	for _, isSet := range actions {
		if isSet {
			count++
		}
	}
	if count != 1 {
		t.Fatalf("the step has %d actions", count)
	}
}

type backoffCase struct {
	header
	Kind  string `json:"kind"`
	Steps []struct {
		Draw    *float64     `json:"draw"`
		PauseMs milliseconds `json:"pauseMs"`
		Reset   bool         `json:"reset"`
	} `json:"steps"`
}

func backoffExample(t *testing.T, example backoffCase) {
	kinds := map[string]func(func() float64) Backoff{"stream": NewBackoff, "ready": NewReadyBackoff}
	create := kinds[example.Kind]
	if create == nil {
		t.Fatalf("unknown kind %q", example.Kind)
	}
	var draw float64
	backoff := create(func() float64 { return draw })
	for _, step := range example.Steps {
		expectOne(t, step.Reset, step.Draw != nil)
		if step.Reset {
			backoff.Reset()
			continue
		}
		draw = *step.Draw
		expect(t, "pause", backoff.Next(), step.PauseMs.duration())
	}
}

type failureCase struct {
	header
	Error          anError `json:"error"`
	TokenMayChange bool    `json:"tokenMayChange"`
	Expect         struct {
		TransportFailure  bool   `json:"transportFailure"`
		MayPass           bool   `json:"mayPass"`
		EndsStreamOnly    bool   `json:"endsStreamOnly"`
		MailboxEnded      bool   `json:"mailboxEnded"`
		DisconnectReturns any    `json:"disconnectReturns"`
		Acknowledgement   string `json:"acknowledgement"`
	} `json:"expect"`
}

func failureExample(t *testing.T, example failureCase) {
	failure := example.Error.failure()
	expect(t, "transport failure", failure.IsTransportFailure(), example.Expect.TransportFailure)
	expect(t, "may pass", failure.MayPass(example.TokenMayChange), example.Expect.MayPass)
	expect(t, "ends only the stream", failure.EndsStreamOnly(), example.Expect.EndsStreamOnly)
	expect(t, "mailbox ended", failure.MailboxEnded(), example.Expect.MailboxEnded)
	var disconnect any = "error"
	if failure.DisconnectReturnsFalse() {
		disconnect = false
	}
	expect(t, "disconnect", disconnect, example.Expect.DisconnectReturns)
	names := map[AfterAcknowledge]string{Repeat: "repeat", StopSilently: "stop", StopWithError: "fail"}
	after := AcknowledgementAfter(failure, example.TokenMayChange)
	expect(t, "acknowledgement", names[after], example.Expect.Acknowledgement)
}

type callCase struct {
	header
	Status codes.Code `json:"status"`
	Info   *struct {
		Reason   string            `json:"reason"`
		Metadata map[string]string `json:"metadata"`
	} `json:"info"`
	HasRetryInfo bool   `json:"hasRetryInfo"`
	Details      string `json:"details"`
	Expect       struct {
		Retryable bool   `json:"retryable"`
		Outcome   string `json:"outcome"`
		Reason    string `json:"reason"`
	} `json:"expect"`
}

func callExample(t *testing.T, example callCase) {
	state := status.New(example.Status, "a message")
	var all []protoadapt.MessageV1
	if example.Info != nil {
		all = append(all, &errdetails.ErrorInfo{Reason: example.Info.Reason, Metadata: example.Info.Metadata})
	}
	if example.HasRetryInfo {
		all = append(all, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
	}
	if len(all) > 0 {
		var err error
		if state, err = state.WithDetails(all...); err != nil {
			t.Fatal(err)
		}
	}
	switch example.Details {
	case "":
	case "malformed":
		malformed := state.Proto()
		malformed.Details = []*anypb.Any{{TypeUrl: "type.googleapis.com/google.rpc.ErrorInfo", Value: []byte{0xff}}}
		state = status.FromProto(malformed)
	default:
		t.Fatalf("unknown details %q", example.Details)
	}
	details := ReadDetails(state)
	expect(t, "retryable", details.Retryable(), example.Expect.Retryable)
	expect(t, "outcome", details.Outcome(), example.Expect.Outcome)
	expect(t, "reason", details.Info.GetReason(), example.Expect.Reason)
}

type leaseCase struct {
	header
	LeaseMs      milliseconds `json:"leaseMs"`
	CheckEveryMs milliseconds `json:"checkEveryMs"`
	Steps        []struct {
		AtMs     milliseconds `json:"atMs"`
		Used     bool         `json:"used"`
		Renews   *bool        `json:"renews"`
		Attached bool         `json:"attached"`
	} `json:"steps"`
}

func leaseExample(t *testing.T, example leaseCase) {
	lease := NewLease(example.LeaseMs.duration(), 0)
	expect(t, "interval of checks", lease.CheckEvery(), example.CheckEveryMs.duration())
	for _, step := range example.Steps {
		expectOne(t, step.Used, step.Renews != nil)
		if step.Used {
			lease.Used(step.AtMs.duration())
			continue
		}
		expect(t, fmt.Sprintf("renews at %v", step.AtMs), lease.Renews(step.AtMs.duration(), step.Attached), *step.Renews)
	}
}

type acknowledgementCase struct {
	header
	Steps []struct {
		Request     *sequence        `json:"request"`
		Succeeds    bool             `json:"succeeds"`
		Fails       *anError         `json:"fails"`
		PauseEnds   bool             `json:"pauseEnds"`
		Closes      bool             `json:"closes"`
		Sends       member[sequence] `json:"sends"`
		PauseUpToMs *milliseconds    `json:"pauseUpToMs"`
		Stops       string           `json:"stops"`
	} `json:"steps"`
}

func acknowledgementExample(t *testing.T, example acknowledgementCase) {
	rule := NewAcknowledgement(false, most)
	for _, step := range example.Steps {
		expectOne(t, step.Request != nil, step.Succeeds, step.Fails != nil, step.PauseEnds, step.Closes)
		var sends uint64
		var ok bool
		switch {
		case step.Request != nil:
			sends, ok = rule.Request(uint64(*step.Request))
		case step.Succeeds:
			sends, ok = rule.Succeeded()
		case step.PauseEnds:
			sends, ok = rule.PauseEnded()
		case step.Closes:
			rule.Stop()
		case step.Fails != nil:
			after, pause := rule.Failed(step.Fails.failure())
			names := map[AfterAcknowledge]string{StopSilently: "silently", StopWithError: "withError"}
			expect(t, "stops", names[after], step.Stops)
			expect(t, "repeats", after == Repeat, step.PauseUpToMs != nil)
			if step.PauseUpToMs != nil {
				expect(t, "pause", pause, step.PauseUpToMs.duration())
			}
		}
		expect(t, "sends", ok, step.Sends.value != nil)
		if ok && step.Sends.value != nil {
			expect(t, "sequence", sends, uint64(*step.Sends.value))
		}
	}
}

type receiveCase struct {
	header
	Options struct {
		AfterSequence       sequence     `json:"afterSequence"`
		LeaseMs             milliseconds `json:"leaseMs"`
		HeartbeatIntervalMs milliseconds `json:"heartbeatIntervalMs"`
		TokenMayChange      bool         `json:"tokenMayChange"`
	} `json:"options"`
	Steps []receiveStep `json:"steps"`
}

type receiveStep struct {
	AtMs  *milliseconds `json:"atMs"`
	Opens *struct {
		AfterSequence sequence     `json:"afterSequence"`
		AttachLimitMs milliseconds `json:"attachLimitMs"`
	} `json:"opens"`
	Attached     *sequence          `json:"attached"`
	Events       []sequence         `json:"events"`
	UnknownKinds []sequence         `json:"unknownKinds"`
	Taken        []sequence         `json:"taken"`
	Heartbeat    *sequence          `json:"heartbeat"`
	UnknownFrame bool               `json:"unknownFrame"`
	Fails        *anError           `json:"fails"`
	Closes       bool               `json:"closes"`
	PauseUpToMs  *milliseconds      `json:"pauseUpToMs"`
	Detached     bool               `json:"detached"`
	Last         *sequence          `json:"last"`
	End          member[anErrorEnd] `json:"end"`
}

type anErrorEnd struct {
	anError
	Message string `json:"message"`
}

func receiveExample(t *testing.T, example receiveCase) {
	var now time.Duration
	rules := NewReceiving(ReceivingOptions{
		AfterSequence:  uint64(example.Options.AfterSequence),
		Lease:          example.Options.LeaseMs.duration(),
		Heartbeat:      example.Options.HeartbeatIntervalMs.duration(),
		TokenMayChange: example.Options.TokenMayChange,
	}, now, most)
	for number, step := range example.Steps {
		t.Logf("step %d", number+1)
		expectOne(t, step.Opens != nil, step.Attached != nil, step.Events != nil, step.Heartbeat != nil,
			step.UnknownFrame, step.Fails != nil, step.Closes)
		if step.AtMs != nil {
			now = step.AtMs.duration()
		}
		var end *Failure
		var hasEnded bool
		switch {
		case step.Opens != nil:
			expect(t, "after sequence", rules.Last(), uint64(step.Opens.AfterSequence))
			expect(t, "attach limit", rules.AttachLimit(now), step.Opens.AttachLimitMs.duration())
		case step.Attached != nil:
			end = rules.Attached(uint64(*step.Attached))
			hasEnded = end != nil
		case step.Events != nil:
			var taken []sequence
			for _, one := range step.Events {
				var isNext bool
				if isNext, end = rules.Event(uint64(one)); end != nil {
					break
				}
				if isNext && !slices.Contains(step.UnknownKinds, one) {
					taken = append(taken, one)
				}
			}
			hasEnded = end != nil
			if !slices.Equal(taken, step.Taken) {
				t.Errorf("taken: got %v, expected %v", taken, step.Taken)
			}
		case step.Heartbeat != nil:
			end = rules.Heartbeat(uint64(*step.Heartbeat))
			hasEnded = end != nil
		case step.Fails != nil, step.Closes:
			next := rules.Closed()
			if step.Fails != nil {
				next = rules.Failed(*step.Fails.failure(), now)
			}
			end, hasEnded = next.End, !next.AttachAgain
			expect(t, "attaches again", next.AttachAgain, step.PauseUpToMs != nil)
			if step.PauseUpToMs != nil {
				expect(t, "pause", next.Pause, step.PauseUpToMs.duration())
			}
			expect(t, "detached", next.Detached, step.Detached)
		}
		expect(t, "has ended", hasEnded, step.End.isSet)
		expectEnd(t, end, step.End.value)
		if step.Last != nil {
			expect(t, "last sequence", rules.Last(), uint64(*step.Last))
		}
	}
}

func expectEnd(t *testing.T, end *Failure, expected *anErrorEnd) {
	t.Helper()
	if end == nil || expected == nil {
		expect(t, "has an error", end != nil, expected != nil)
		return
	}
	expect(t, "status", end.Status, expected.Status)
	expect(t, "reason", end.Reason, expected.Reason)
	if !maps.Equal(end.Metadata, expected.Metadata) {
		t.Errorf("metadata: got %v, expected %v", end.Metadata, expected.Metadata)
	}
	if !strings.Contains(end.Message, expected.Message) {
		t.Errorf("message: %q does not contain %q", end.Message, expected.Message)
	}
}

type senderCase struct {
	header
	Options struct {
		MaxInFlightMessages int `json:"maxInFlightMessages"`
		MaxInFlightBytes    int `json:"maxInFlightBytes"`
		MaxBatchBytes       int `json:"maxBatchBytes"`
	} `json:"options"`
	Steps []senderStep `json:"steps"`
}

type frameExample struct {
	Messages int  `json:"messages"`
	Respond  bool `json:"respond"`
}

type senderStep struct {
	Sends *struct {
		PayloadBytes int               `json:"payloadBytes"`
		Groups       *int              `json:"groups"`
		Headers      map[string]string `json:"headers"`
		Times        *int              `json:"times"`
	} `json:"sends"`
	Writes *frameExample `json:"writes"`
	Flush  *struct {
		Frames []frameExample `json:"frames"`
	} `json:"flush"`
	Response *struct {
		Decided  uint64 `json:"decided"`
		Accepted uint64 `json:"accepted"`
	} `json:"response"`
	Fails    *anError          `json:"fails"`
	Closes   bool              `json:"closes"`
	Closing  bool              `json:"closing"`
	Full     *bool             `json:"full"`
	InFlight *int              `json:"inFlight"`
	Outcome  string            `json:"outcome"`
	End      member[senderEnd] `json:"end"`
}

type senderEnd struct {
	Status  codes.Code `json:"status"`
	Outcome string     `json:"outcome"`
}

func senderExample(t *testing.T, example senderCase) {
	window := NewSendWindow(SendWindowOptions(example.Options))
	for number, step := range example.Steps {
		t.Logf("step %d", number+1)
		expectOne(t, step.Sends != nil, step.Writes != nil, step.Flush != nil, step.Response != nil, step.Fails != nil,
			step.Closes, step.Closing)
		var end *Failure
		switch {
		case step.Sends != nil:
			headersSize := proto.Size(&pb.MulticastMessage{Headers: step.Sends.Headers})
			size := MessageSize(step.Sends.PayloadBytes, valueOr(step.Sends.Groups, 1), headersSize)
			for range valueOr(step.Sends.Times, 1) {
				window.Send(size)
			}
		case step.Writes != nil:
			frame, ok := window.Next()
			expect(t, "writes a frame", ok, true)
			expect(t, "frame", frame, Frame(*step.Writes))
		case step.Flush != nil:
			window.Flush()
			for _, expected := range step.Flush.Frames {
				frame, ok := window.Next()
				expect(t, "writes a frame", ok, true)
				expect(t, "frame", frame, Frame(expected))
			}
			_, ok := window.Next()
			expect(t, "writes a further frame", ok, false)
		case step.Response != nil:
			end = window.Response(step.Response.Decided)
			expect(t, "has ended", end != nil, step.End.isSet)
		case step.Fails != nil:
			expect(t, "outcome", window.Outcome(step.Fails.failure()), step.Outcome)
		case step.Closes:
			end = window.Closed()
			expect(t, "example has an end", step.End.isSet, true)
		case step.Closing:
			window.Close()
		}
		if end == nil || step.End.value == nil {
			expect(t, "has an error", end != nil, step.End.value != nil)
		} else {
			expect(t, "status", end.Status, step.End.value.Status)
			expect(t, "outcome", end.Outcome, step.End.value.Outcome)
		}
		if step.Full != nil {
			expect(t, "full", window.IsFull(), *step.Full)
		}
		if step.InFlight != nil {
			expect(t, "in flight", window.InFlight(), *step.InFlight)
		}
	}
}

func valueOr(value *int, otherwise int) int {
	if value == nil {
		return otherwise
	}
	return *value
}
