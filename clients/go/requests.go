package spreadsidecar

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/protobuf/types/known/durationpb"
)

// toDuration converts a duration to the contract. It returns nil for 0, which selects the sidecar's default.
func toDuration(value time.Duration, field string) (*durationpb.Duration, error) {
	if value == 0 {
		return nil, nil
	}
	if value < 0 {
		return nil, fieldError(field, "a duration, 0 or more", value)
	}
	return durationpb.New(value), nil
}

// choose returns the contract's value of a word. The zero word has the zero value.
func choose[Word ~string, Value any](word Word, field string, values map[Word]Value) (value Value, err error) {
	if word == "" {
		return value, nil
	}
	value, ok := values[word]
	if !ok {
		words := make([]string, 0, len(values))
		for known := range values {
			words = append(words, string(known))
		}
		slices.Sort(words)
		return value, fieldError(field, strings.Join(words, " or "), word)
	}
	return value, nil
}

var (
	nameConflicts = map[NameConflict]pb.NameConflictPolicy{
		FailOnConflict:   pb.NameConflictPolicy_NAME_CONFLICT_POLICY_FAIL,
		SuffixOnConflict: pb.NameConflictPolicy_NAME_CONFLICT_POLICY_SUFFIX,
	}
	nameLosses = map[NameLoss]pb.NameLossPolicy{
		EndOnNameLoss:        pb.NameLossPolicy_NAME_LOSS_POLICY_END,
		SuffixOnNameLoss:     pb.NameLossPolicy_NAME_LOSS_POLICY_SUFFIX,
		DaemonMadeOnNameLoss: pb.NameLossPolicy_NAME_LOSS_POLICY_DAEMON_MADE,
	}
	acknowledgements = map[AcknowledgementMode]pb.Acknowledgement{
		AckAuto:     pb.Acknowledgement_ACKNOWLEDGEMENT_AUTO,
		AckExplicit: pb.Acknowledgement_ACKNOWLEDGEMENT_EXPLICIT,
	}
	overflows = map[OverflowPolicy]pb.OverflowPolicy{
		OverflowPause:      pb.OverflowPolicy_OVERFLOW_POLICY_PAUSE,
		OverflowDisconnect: pb.OverflowPolicy_OVERFLOW_POLICY_DISCONNECT,
	}
	authentications = map[AuthMethod]*pb.Authentication{
		AuthNull: {Method: &pb.Authentication_NullMethod{NullMethod: &pb.NullAuthentication{}}},
		AuthIP:   {Method: &pb.Authentication_IpMethod{IpMethod: &pb.IpAuthentication{}}},
	}
)

func connectRequest(options MailboxOptions) (*pb.ConnectRequest, error) {
	if options.Priority < 0 || options.Priority > math.MaxInt32 {
		return nil, fieldError("priority", "0 or 1", options.Priority)
	}
	for field, name := range map[string]string{"spreadName": options.SpreadName, "privateName": options.PrivateName} {
		if !utf8.ValidString(name) {
			return nil, fieldError(field, "valid UTF-8", strconv.Quote(name))
		}
	}
	request := &pb.ConnectRequest{
		Daemon:      options.SpreadName,
		PrivateName: options.PrivateName,
		Priority:    uint32(options.Priority),
	}
	if options.NoMembership {
		off := false
		request.Membership = &off
	}
	var err error
	if request.OnNameConflict, err = choose(options.OnNameConflict, "onNameConflict", nameConflicts); err != nil {
		return nil, err
	}
	if request.Auth, err = choose(options.Auth, "auth", authentications); err != nil {
		return nil, err
	}
	if request.Acknowledgement, err = choose(options.Acknowledgement, "acknowledgement", acknowledgements); err != nil {
		return nil, err
	}
	request.EndWithConnection = options.EndWithConnection
	if request.Lease, err = toDuration(options.Lease, "lease"); err != nil {
		return nil, err
	}
	if request.Reconnect, err = reconnectPolicy(options.Reconnect); err != nil {
		return nil, err
	}
	request.Queue, err = queueLimits(options.Queue)
	return request, err
}

func reconnectPolicy(options *ReconnectOptions) (*pb.ReconnectPolicy, error) {
	if options == nil {
		return nil, nil
	}
	giveUpAfter, err := toDuration(options.GiveUpAfter, "reconnect.giveUpAfter")
	if err != nil {
		return nil, err
	}
	onNameLoss, err := choose(options.OnNameLoss, "reconnect.onNameLoss", nameLosses)
	return &pb.ReconnectPolicy{
		Enabled:         true,
		GiveUpAfter:     giveUpAfter,
		OnNameLoss:      onNameLoss,
		QueueMulticasts: options.QueueMulticasts,
	}, err
}

func queueLimits(options *QueueOptions) (*pb.QueueLimits, error) {
	if options == nil {
		return nil, nil
	}
	overflow, err := choose(options.Overflow, "queue.overflow", overflows)
	if err != nil {
		return nil, err
	}
	limits := &pb.QueueLimits{
		MaxEvents:   options.MaxEvents,
		MaxBytes:    options.MaxBytes,
		ReplayBytes: options.ReplayBytes,
		Overflow:    overflow,
	}
	if soft := options.SoftLimit; soft != nil {
		if !(soft.Fraction >= 0 && soft.Fraction <= 1) {
			return nil, fieldError("queue.softLimit.fraction", "a number from 0 to 1", soft.Fraction)
		}
		time, err := toDuration(soft.Time, "queue.softLimit.time")
		if err != nil {
			return nil, err
		}
		limits.SoftLimit = &pb.SoftLimit{Fraction: soft.Fraction, Time: time}
	}
	return limits, nil
}

// checkOutgoing rejects what the contract cannot represent. The sidecar validates everything else.
func checkOutgoing(service Service, groups []string, messageType int) (pb.ServiceType, error) {
	kind, err := service.toContract()
	if err != nil {
		return 0, err
	}
	if messageType < math.MinInt32 || messageType > math.MaxInt32 {
		text := fmt.Sprintf("messageType must be from -32768 to 32767; got %d", messageType)
		return 0, localSpreadError(IllegalMessage, text, map[string]string{
			"field": "message_type",
			"bound": "-32768 to 32767",
		})
	}
	for _, group := range groups {
		if err := checkGroup(group); err != nil {
			return 0, err
		}
	}
	return kind, nil
}

// checkGroup rejects a name that a string of the contract cannot represent.
func checkGroup(group string) error {
	if utf8.ValidString(group) {
		return nil
	}
	text := fmt.Sprintf("group name %q is not valid UTF-8; allowed are 1 to 31 characters from 0x24 `$` to 0x7e `~`", group)
	return localSpreadError(IllegalGroup, text, map[string]string{
		"field": "group",
		"bound": "1 to 31 characters of `$` to `~`",
	})
}
