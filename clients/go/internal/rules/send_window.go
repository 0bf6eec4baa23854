package rules

import "google.golang.org/grpc/codes"

const (
	// maxFrameMessages is the maximum number of messages in a frame (S3).
	maxFrameMessages = 1024
	// requestsPerWindow: a frame requests a response after this part of the window was written (S4).
	requestsPerWindow = 4
	// MaxKeptRefusals is the maximum number of errors of rejected messages without a callback (S6).
	MaxKeptRefusals = 100
)

// MessageSize returns the size of a message (S1). headers is the size of its encoded headers.
func MessageSize(payload, groups, headers int) int { return payload + 32*groups + 16 + headers }

// SendWindowOptions are the limits of a [SendWindow].
type SendWindowOptions struct {
	MaxInFlightMessages int
	MaxInFlightBytes    int
	MaxBatchBytes       int
}

// SendWindow limits the messages in flight, divides messages into frames, and decides when a frame requests a
// response.
type SendWindow struct {
	options SendWindowOptions
	// sent, written and decided count messages from the first one.
	sent, written, decided uint64
	// sizes has the sizes of the messages in flight, oldest first, from head on.
	sizes         []int
	head          int
	inFlightBytes int
	// waiting has the frames that are not written, oldest first.
	waiting []frameSize
	// The messages 1 to requested have a response, or a requested one. writtenBytes is the size of those written
	// after them.
	requested    uint64
	writtenBytes int
	// A flush waits for the messages 1 to flushed.
	flushed uint64
	closing bool
}

type frameSize struct{ messages, bytes int }

// Frame is a frame to write.
type Frame struct {
	// Messages is 0 for an empty frame.
	Messages int
	// Respond: the frame requests a response.
	Respond bool
}

// NewSendWindow returns the rules for a new stream.
func NewSendWindow(options SendWindowOptions) *SendWindow { return &SendWindow{options: options} }

// Sent returns the number of sent messages.
func (w *SendWindow) Sent() uint64 { return w.sent }

// Decided returns the number of decided messages.
func (w *SendWindow) Decided() uint64 { return w.decided }

// InFlight returns the number of messages in flight (S1).
func (w *SendWindow) InFlight() int { return len(w.sizes) - w.head }

// IsFull reports whether the next Send waits (S2).
func (w *SendWindow) IsFull() bool {
	count := w.InFlight()
	return count >= w.options.MaxInFlightMessages || (w.inFlightBytes >= w.options.MaxInFlightBytes && count > 0)
}

// Send adds a message. It reports whether the message starts a new frame (S3).
func (w *SendWindow) Send(size int) bool {
	w.sent++
	// The cost per message is constant, because at least as many messages were decided before.
	if w.head > 0 && w.head*2 >= len(w.sizes) {
		w.sizes = w.sizes[:copy(w.sizes, w.sizes[w.head:])]
		w.head = 0
	}
	w.sizes = append(w.sizes, size)
	w.inFlightBytes += size
	startsFrame := len(w.waiting) == 0
	if !startsFrame {
		last := w.waiting[len(w.waiting)-1]
		startsFrame = last.messages >= maxFrameMessages || last.bytes >= w.options.MaxBatchBytes
	}
	if startsFrame {
		w.waiting = append(w.waiting, frameSize{})
	}
	last := &w.waiting[len(w.waiting)-1]
	last.messages++
	last.bytes += size
	return startsFrame
}

// Flush notes that the application waits for all messages that it has sent (S4).
func (w *SendWindow) Flush() { w.flushed = w.sent }

// Next returns the next frame to write, or false if there is none now (S4).
func (w *SendWindow) Next() (Frame, bool) {
	if len(w.waiting) == 0 {
		respond := w.isRequestMissing()
		if respond {
			w.request()
		}
		return Frame{Respond: respond}, respond
	}
	next := w.waiting[0]
	w.waiting = w.waiting[1:]
	w.written += uint64(next.messages)
	w.writtenBytes += next.bytes
	respond := w.isRequestDue() || w.isRequestMissing()
	if respond {
		w.request()
	}
	return Frame{Messages: next.messages, Respond: respond}, true
}

// isRequestDue reports whether a part of the window was written since the last request. Requests come well before
// the window is full, so that the sender does not wait for a response.
func (w *SendWindow) isRequestDue() bool {
	return requestsPerWindow*(w.written-w.requested) >= uint64(w.options.MaxInFlightMessages) ||
		requestsPerWindow*w.writtenBytes >= w.options.MaxInFlightBytes
}

// isRequestMissing reports whether a flush waits for written messages that no request covers.
func (w *SendWindow) isRequestMissing() bool {
	return w.flushed > max(w.requested, w.decided) && w.written >= w.flushed
}

func (w *SendWindow) request() { w.requested, w.writtenBytes = w.written, 0 }

// Response handles the number of decided messages of a response. It returns the error that ends the sender, or nil
// (S9).
func (w *SendWindow) Response(decided uint64) *Failure {
	var problem string
	switch {
	case decided > w.written:
		problem = "decides more messages than the client has written"
	case decided < w.decided:
		problem = "decides fewer messages than an earlier response"
	default:
		for ; w.decided < decided; w.decided++ {
			w.inFlightBytes -= w.sizes[w.head]
			w.head++
		}
		return nil
	}
	return &Failure{Message: "the response of MulticastStream " + problem, Status: codes.Internal, Outcome: Unknown}
}

// Close notes that the application closes the sender.
func (w *SendWindow) Close() { w.closing = true }

// IsClosing reports whether the application closes the sender.
func (w *SendWindow) IsClosing() bool { return w.closing }

// IsDecided reports whether all messages are decided.
func (w *SendWindow) IsDecided() bool { return w.decided == w.sent }

// Outcome returns the outcome of the sender's calls after this error ended its stream (S7).
func (w *SendWindow) Outcome(failure *Failure) string {
	if w.IsDecided() || failure.Metadata["outcome"] == NotSent ||
		failure.Reason == sidecarUnreachable || failure.Reason == notASidecar {
		return NotSent
	}
	return Unknown
}

// Closed handles a stream that the sidecar ended without an error. It returns the error that ends the sender, or
// nil (S8).
func (w *SendWindow) Closed() *Failure {
	if w.closing && w.IsDecided() {
		return nil
	}
	return &Failure{
		Message: "the sidecar ended the stream before it accepted or rejected all messages",
		Status:  codes.Unavailable,
		Outcome: Unknown,
	}
}
