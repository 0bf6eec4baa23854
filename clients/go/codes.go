package spreadsidecar

import "strconv"

// Code is the number of an error of Spread's C API. Each is an error to compare with:
//
//	errors.Is(err, spreadsidecar.RejectNotUnique)
type Code int32

// Errors of Spread.
const (
	// IllegalSpread: the spread name is not well formed.
	IllegalSpread Code = -1
	// CouldNotConnect: the daemon can't be reached.
	CouldNotConnect Code = -2
	// RejectQuota: the daemon has as many sessions as it may.
	RejectQuota Code = -3
	// RejectNoName: no private name was given. Spread 5 never answers it.
	RejectNoName Code = -4
	// RejectIllegalName: the private name has characters or a length that it may not have.
	RejectIllegalName Code = -5
	// RejectNotUnique: the private name is in use at this daemon.
	RejectNotUnique Code = -6
	// RejectVersion: the daemon does not speak this version.
	RejectVersion Code = -7
	// ConnectionClosed: the connection to the daemon has ended.
	ConnectionClosed Code = -8
	// RejectAuth: the daemon refused the authentication.
	RejectAuth Code = -9
	// IllegalSession: there is no such mailbox, or no longer.
	IllegalSession Code = -11
	// IllegalService: the service type is not exactly one of the six.
	IllegalService Code = -12
	// IllegalMessage: the message is not well formed.
	IllegalMessage Code = -13
	// IllegalGroup: a group name is not well formed, or there are none or too many.
	IllegalGroup Code = -14
	// BufferTooShort: a receive buffer is too short. Cannot happen here; kept for programs that compare it.
	BufferTooShort Code = -15
	// GroupsTooShort: a receive group list is too short. Cannot happen here; kept for programs that compare it.
	GroupsTooShort Code = -16
	// MessageTooLong: the message is longer than the daemon can carry.
	MessageTooLong Code = -17
	// NetErrorOnSession: the session had failed before this call.
	NetErrorOnSession Code = -18
	// SpBug: a defect inside Spread.
	SpBug Code = -19
	// IllegalTime: a time that was given is not valid.
	IllegalTime Code = -20
	// IllegalParam: flush library, a parameter is not valid.
	IllegalParam Code = -24
	// WouldBlock: flush library, the call would have to wait.
	WouldBlock Code = -25
	// IllegalMessageType: flush library, the message type is one that the library keeps for itself.
	IllegalMessageType Code = -26
	// IllegalState: flush library, not allowed in the current state of the group.
	IllegalState Code = -27
	// IllegalReceivers: flush library, the list of receivers is not valid.
	IllegalReceivers Code = -28
)

var codeNames = map[Code]string{
	IllegalSpread:      "ILLEGAL_SPREAD",
	CouldNotConnect:    "COULD_NOT_CONNECT",
	RejectQuota:        "REJECT_QUOTA",
	RejectNoName:       "REJECT_NO_NAME",
	RejectIllegalName:  "REJECT_ILLEGAL_NAME",
	RejectNotUnique:    "REJECT_NOT_UNIQUE",
	RejectVersion:      "REJECT_VERSION",
	ConnectionClosed:   "CONNECTION_CLOSED",
	RejectAuth:         "REJECT_AUTH",
	IllegalSession:     "ILLEGAL_SESSION",
	IllegalService:     "ILLEGAL_SERVICE",
	IllegalMessage:     "ILLEGAL_MESSAGE",
	IllegalGroup:       "ILLEGAL_GROUP",
	BufferTooShort:     "BUFFER_TOO_SHORT",
	GroupsTooShort:     "GROUPS_TOO_SHORT",
	MessageTooLong:     "MESSAGE_TOO_LONG",
	NetErrorOnSession:  "NET_ERROR_ON_SESSION",
	SpBug:              "SP_BUG",
	IllegalTime:        "ILLEGAL_TIME",
	IllegalParam:       "ILLEGAL_PARAM",
	WouldBlock:         "WOULD_BLOCK",
	IllegalMessageType: "ILLEGAL_MESSAGE_TYPE",
	IllegalState:       "ILLEGAL_STATE",
	IllegalReceivers:   "ILLEGAL_RECEIVERS",
}

var codesByName = func() map[string]Code {
	codes := make(map[string]Code, len(codeNames))
	for code, name := range codeNames {
		codes[name] = code
	}
	return codes
}()

// CodeByName is the number of one of Spread's errors by its name, such as ILLEGAL_GROUP.
func CodeByName(name string) (Code, bool) {
	code, ok := codesByName[name]
	return code, ok
}

// String is Spread's name for the error, such as ILLEGAL_GROUP.
func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return "Code(" + strconv.Itoa(int(c)) + ")"
}

// Error makes a Code something to compare errors with.
func (c Code) Error() string { return c.String() }
