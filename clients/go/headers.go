package spreadsidecar

import (
	"errors"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Reserved names of headers. Use them only for this purpose.
const (
	// HeaderTraceparent is the position of the message in a trace, as in W3C Trace Context. Reserved for tracing.
	HeaderTraceparent = "traceparent"
	// HeaderTracestate is the data of tracing systems, as in W3C Trace Context. Reserved for tracing.
	HeaderTracestate = "tracestate"
	// HeaderBaggage is data of the application that follows a trace, as in W3C Baggage.
	HeaderBaggage = "baggage"
	// HeaderContentType is the media type of the payload, such as application/json.
	HeaderContentType = "content-type"
	// HeaderReplyTo is the group or private group that expects the reply to the message.
	HeaderReplyTo = "reply-to"
	// HeaderCorrelationID is the value that a reply repeats, so that the requester finds the request of the
	// reply.
	HeaderCorrelationID = "correlation-id"
)

// MessageOption is an option of a message to send: [WithHeaders].
type MessageOption struct{ headers map[string]string }

// WithHeaders sends headers with a message. A name has 1 to 64 characters of a-z 0-9 - _ . and a value is
// text in UTF-8. All headers of a message have at most 8,192 bytes: 3 for each header, its name and its
// value. The sidecar rejects other headers with [ErrHeaderNameInvalid] or [ErrHeadersTooLarge]. A nil or
// empty map sends no headers. If a call has several WithHeaders, only the last one has an effect.
func WithHeaders(headers map[string]string) MessageOption { return MessageOption{headers} }

// headersOf returns the headers among the options of a message. It rejects headers that a string of the contract
// cannot represent.
func headersOf(options []MessageOption) (map[string]string, error) {
	if len(options) == 0 {
		return nil, nil
	}
	headers := options[len(options)-1].headers
	for name, value := range headers {
		if !utf8.ValidString(name) {
			return nil, optionError("headers", "a map whose names are valid UTF-8",
				"the names in headers must be valid UTF-8; got "+strconv.Quote(name))
		}
		if !utf8.ValidString(value) {
			return nil, fieldError("headers["+strconv.Quote(name)+"]", "valid UTF-8", strconv.Quote(value))
		}
	}
	return headers, nil
}

// headersSize is the approximate memory of headers.
func headersSize(headers map[string]string) int {
	const fixed = 32
	size := 0
	for name, value := range headers {
		size += fixed + len(name) + len(value)
	}
	return size
}

// Field numbers of an entry of a map.
const (
	fieldEntryName  = 1
	fieldEntryValue = 2
)

// entrySize is the size of a header in the contract, without its tag and length.
func entrySize(name, value string) int { return textSize(name) + textSize(value) }

func textSize(text string) int {
	if text == "" {
		return 0
	}
	return 1 + protowire.SizeBytes(len(text))
}

func appendText(data []byte, field protowire.Number, text string) []byte {
	if text == "" {
		return data
	}
	data = protowire.AppendTag(data, field, protowire.BytesType)
	return protowire.AppendString(data, text)
}

// encodedHeadersSize is the size of headers in the contract.
func encodedHeadersSize(headers map[string]string) int {
	size := 0
	for name, value := range headers {
		size += 1 + protowire.SizeBytes(entrySize(name, value))
	}
	return size
}

// appendHeaders encodes headers as the last field of a message to send.
func appendHeaders(data []byte, headers map[string]string) []byte {
	for name, value := range headers {
		data = protowire.AppendTag(data, fieldMulticastHeaders, protowire.BytesType)
		data = protowire.AppendVarint(data, uint64(entrySize(name, value)))
		data = appendText(data, fieldEntryName, name)
		data = appendText(data, fieldEntryValue, value)
	}
	return data
}

// decodeHeader decodes one header of a received message.
func decodeHeader(data []byte) (name, value string, err error) {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return "", "", protowire.ParseError(n)
		}
		data = data[n:]
		if kind != protowire.BytesType || (number != fieldEntryName && number != fieldEntryValue) {
			if n = protowire.ConsumeFieldValue(number, kind, data); n < 0 {
				return "", "", protowire.ParseError(n)
			}
			data = data[n:]
			continue
		}
		bytes, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return "", "", protowire.ParseError(n)
		}
		if !utf8.Valid(bytes) {
			return "", "", errors.New("a header is not valid UTF-8")
		}
		if number == fieldEntryName {
			name = string(bytes)
		} else {
			value = string(bytes)
		}
		data = data[n:]
	}
	return name, value, nil
}
