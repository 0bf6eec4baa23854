package spreadsidecar

import (
	"fmt"
	"time"
	"unicode/utf8"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that all other messages use
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Field numbers of the contract.
const (
	fieldFrameBatch     = 2 // ReceiveResponse, MulticastStreamRequest
	fieldBatchElement   = 1 // EventBatch.events, MulticastBatch.messages
	fieldEventSequence  = 1
	fieldEventReceived  = 2
	fieldEventRegular   = 3
	fieldTimeSeconds    = 1
	fieldTimeNanos      = 2
	fieldRegularSender  = 1
	fieldRegularGroups  = 2
	fieldRegularService = 3
	fieldRegularType    = 4
	fieldRegularPayload = 5
	fieldRegularEndian  = 6
	fieldRegularSpread  = 8
	fieldRegularHeaders = 9

	fieldBatchRespond     = 2
	fieldMulticastHeaders = 6
)

// streamCodec is the proto codec for the two streams that carry many messages. It writes the bytes of a
// [*sendFrame], and decodes events into a [*receivedFrame] without intermediate objects.
type streamCodec struct{ encoding.CodecV2 }

var codec = streamCodec{encoding.GetCodecV2("proto")}

func (c streamCodec) Marshal(v any) (mem.BufferSlice, error) {
	if frame, ok := v.(*sendFrame); ok {
		return mem.BufferSlice{mem.SliceBuffer(frame.wire())}, nil
	}
	return c.CodecV2.Marshal(v)
}

func (c streamCodec) Unmarshal(data mem.BufferSlice, v any) error {
	frame, ok := v.(*receivedFrame)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	return frame.decode(buffer.ReadOnlyData())
}

// receivedFrame is a frame of a Receive stream: events, or any other frame of the contract.
type receivedFrame struct {
	isBatch bool
	events  []receivedEvent
	other   *pb.ReceiveResponse
}

// receivedEvent is an event of a batch. The event is nil if this release does not know its kind.
type receivedEvent struct {
	sequence uint64
	event    Event
}

// decode decodes a frame. It does not retain the bytes.
func (f *receivedFrame) decode(data []byte) error {
	f.isBatch, f.events, f.other = false, f.events[:0], nil
	number, kind, n := protowire.ConsumeTag(data)
	if n > 0 && number == fieldFrameBatch && kind == protowire.BytesType {
		if batch, m := protowire.ConsumeBytes(data[n:]); m == len(data)-n {
			f.isBatch = true
			return f.decodeBatch(batch)
		}
	}
	f.other = &pb.ReceiveResponse{}
	if err := proto.Unmarshal(data, f.other); err != nil {
		return err
	}
	if batch := f.other.GetBatch(); batch != nil {
		f.isBatch = true
		for _, event := range batch.GetEvents() {
			f.events = append(f.events, receivedEvent{event.GetSequence(), toEvent(event)})
		}
	}
	return nil
}

func (f *receivedFrame) decodeBatch(data []byte) error {
	var last names
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		if number != fieldBatchElement || kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, data[n:]) + n; n < 0 {
				return protowire.ParseError(n)
			}
			data = data[n:]
			continue
		}
		bytes, m := protowire.ConsumeBytes(data[n:])
		if m < 0 {
			return protowire.ParseError(m)
		}
		event, err := decodeEvent(bytes, &last)
		if err != nil {
			return err
		}
		f.events = append(f.events, event)
		data = data[n+m:]
	}
	return nil
}

// names has the sender and groups of the previous message. Consecutive messages often have the same and share
// them.
type names struct {
	sender string
	groups []string
}

// decodeEvent decodes a regular message. The generated code decodes all other events.
func decodeEvent(data []byte, last *names) (receivedEvent, error) {
	var info EventInfo
	for rest := data; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return receivedEvent{}, protowire.ParseError(n)
		}
		rest = rest[n:]
		switch {
		case number == fieldEventSequence && kind == protowire.VarintType:
			info.Sequence, n = protowire.ConsumeVarint(rest)
		case number == fieldEventReceived && kind == protowire.BytesType:
			var bytes []byte
			if bytes, n = protowire.ConsumeBytes(rest); n >= 0 {
				at, err := decodeTime(bytes)
				if err != nil {
					return receivedEvent{}, err
				}
				info.ReceivedAt = at
			}
		case number == fieldEventRegular && kind == protowire.BytesType:
			bytes, m := protowire.ConsumeBytes(rest)
			if m == len(rest) {
				message := &RegularMessage{EventInfo: info}
				if err := message.decode(bytes, last); err != nil {
					return receivedEvent{}, err
				}
				return receivedEvent{info.Sequence, message}, nil
			}
			return decodeOther(data)
		default:
			return decodeOther(data)
		}
		if n < 0 {
			return receivedEvent{}, protowire.ParseError(n)
		}
		rest = rest[n:]
	}
	return decodeOther(data)
}

func decodeOther(data []byte) (receivedEvent, error) {
	event := &pb.Event{}
	if err := proto.Unmarshal(data, event); err != nil {
		return receivedEvent{}, err
	}
	return receivedEvent{event.GetSequence(), toEvent(event)}, nil
}

func decodeTime(data []byte) (time.Time, error) {
	var seconds, nanos uint64
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return time.Time{}, protowire.ParseError(n)
		}
		var m int
		switch {
		case number == fieldTimeSeconds && kind == protowire.VarintType:
			seconds, m = protowire.ConsumeVarint(data[n:])
		case number == fieldTimeNanos && kind == protowire.VarintType:
			nanos, m = protowire.ConsumeVarint(data[n:])
		default:
			m = protowire.ConsumeFieldValue(number, kind, data[n:])
		}
		if m < 0 {
			return time.Time{}, protowire.ParseError(m)
		}
		data = data[n+m:]
	}
	return time.Unix(int64(seconds), int64(int32(nanos))).UTC(), nil
}

func (r *RegularMessage) decode(data []byte, last *names) error {
	var groups int
	shared := true
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		var word uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			word, n = protowire.ConsumeVarint(data)
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(data)
		default:
			n = protowire.ConsumeFieldValue(number, kind, data)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		switch {
		case number == fieldRegularSender && kind == protowire.BytesType:
			if last.sender != string(bytes) {
				if !utf8.Valid(bytes) {
					return fmt.Errorf("the name of a sender is not valid UTF-8")
				}
				last.sender = string(bytes)
			}
			r.Sender = last.sender
		case number == fieldRegularGroups && kind == protowire.BytesType:
			if shared && groups < len(last.groups) && last.groups[groups] == string(bytes) {
				groups++
				continue
			}
			if !utf8.Valid(bytes) {
				return fmt.Errorf("the name of a group is not valid UTF-8")
			}
			if shared {
				r.Groups = append(make([]string, 0, groups+1), last.groups[:groups]...)
				shared = false
			}
			r.Groups = append(r.Groups, string(bytes))
		case number == fieldRegularService && kind == protowire.VarintType:
			r.ServiceType = serviceFromContract(pb.ServiceType(int32(word)))
		case number == fieldRegularType && kind == protowire.VarintType:
			r.MessageType = int(int32(protowire.DecodeZigZag(word & 0xffffffff)))
		case number == fieldRegularPayload && kind == protowire.BytesType:
			r.Payload = append(make([]byte, 0, len(bytes)), bytes...)
		case number == fieldRegularEndian && kind == protowire.VarintType:
			r.EndianMismatch = word != 0
		case number == fieldRegularSpread && kind == protowire.VarintType:
			// The word also contains the field self_discard.
			r.SpreadType = Service(uint32(word))
		case number == fieldRegularHeaders && kind == protowire.BytesType:
			name, value, err := decodeHeader(bytes)
			if err != nil {
				return err
			}
			if r.Headers == nil {
				r.Headers = map[string]string{}
			}
			r.Headers[name] = value
		}
	}
	if shared {
		r.Groups = last.groups[:groups:groups]
	}
	last.groups = r.Groups
	return nil
}

// headRoom is the maximum size of the tag and length of a batch, and of its field respond.
const headRoom = 1 + 5 + 2

// sendFrame is a frame of a MulticastStream. Its messages are encoded when they are added.
type sendFrame struct {
	// data has headRoom bytes before the first message.
	data []byte
	// ends has the end of each message in data.
	ends []int
	// decided is the number of decided messages.
	decided int
	// respond: the frame requests a response.
	respond bool
}

// newSendFrame returns a frame with the given capacity. The size of the previous frame is a good value,
// because the buffer then rarely grows.
func newSendFrame(room int) *sendFrame {
	return &sendFrame{data: make([]byte, headRoom, headRoom+max(room, 512))}
}

// size is the size of the messages in bytes.
func (f *sendFrame) size() int { return len(f.data) - headRoom }

// add encodes a message. It copies the payload and the headers.
func (f *sendFrame) add(
	kind pb.ServiceType, groups []string, payload []byte, messageType int32, selfDiscard bool, headers map[string]string,
) {
	size := 1 + protowire.SizeVarint(uint64(kind))
	for _, group := range groups {
		size += 1 + protowire.SizeBytes(len(group))
	}
	if len(payload) > 0 {
		size += 1 + protowire.SizeBytes(len(payload))
	}
	zigzag := protowire.EncodeZigZag(int64(messageType))
	if messageType != 0 {
		size += 1 + protowire.SizeVarint(zigzag)
	}
	if selfDiscard {
		size += 2
	}
	size += encodedHeadersSize(headers)
	data := protowire.AppendTag(f.data, fieldBatchElement, protowire.BytesType)
	data = protowire.AppendVarint(data, uint64(size))
	data = protowire.AppendTag(data, 1, protowire.VarintType)
	data = protowire.AppendVarint(data, uint64(kind))
	for _, group := range groups {
		data = protowire.AppendTag(data, 2, protowire.BytesType)
		data = protowire.AppendString(data, group)
	}
	if len(payload) > 0 {
		data = protowire.AppendTag(data, 3, protowire.BytesType)
		data = protowire.AppendBytes(data, payload)
	}
	if messageType != 0 {
		data = protowire.AppendTag(data, 4, protowire.VarintType)
		data = protowire.AppendVarint(data, zigzag)
	}
	if selfDiscard {
		data = protowire.AppendTag(data, 5, protowire.VarintType)
		data = protowire.AppendVarint(data, 1)
	}
	data = appendHeaders(data, headers)
	f.data = data
	f.ends = append(f.ends, len(data))
}

// start is the start of a message in data.
func (f *sendFrame) start(index int) int {
	if index == 0 {
		return headRoom
	}
	return f.ends[index-1]
}

// wire writes the tag, the length and the field respond directly before the first message, and returns the whole
// frame.
func (f *sendFrame) wire() []byte {
	body := headRoom
	if f.respond {
		body -= 2
		protowire.AppendVarint(protowire.AppendTag(f.data[body:body], fieldBatchRespond, protowire.VarintType), 1)
	}
	length := uint64(len(f.data) - body)
	at := body - 1 - protowire.SizeVarint(length)
	head := protowire.AppendTag(f.data[at:at], fieldFrameBatch, protowire.BytesType)
	protowire.AppendVarint(head, length)
	return f.data[at:]
}

// undecided returns the messages that are not decided.
func (f *sendFrame) undecided() []OutgoingMessage {
	var result []OutgoingMessage
	for index := f.decided; index < len(f.ends); index++ {
		bytes, _ := protowire.ConsumeBytes(f.data[f.start(index)+1 : f.ends[index]])
		message := &pb.MulticastMessage{}
		if err := proto.Unmarshal(bytes, message); err != nil {
			continue
		}
		service := serviceFromContract(message.GetServiceType())
		if message.GetSelfDiscard() {
			service |= SelfDiscard
		}
		result = append(result, OutgoingMessage{
			ServiceType: service,
			Groups:      message.GetGroups(),
			Payload:     message.GetPayload(),
			MessageType: int(message.GetMessageType()),
			Headers:     message.GetHeaders(),
		})
	}
	return result
}
