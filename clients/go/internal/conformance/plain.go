package main

import (
	"errors"

	spread "github.com/spread-sidecar/spread-sidecar/clients/go"
)

// plain is an object of the protocol.
type plain map[string]any

// list converts nil to an empty list.
func list[T any](values []T) []T {
	if values == nil {
		return []T{}
	}
	return values
}

// orNull converts an empty word to null.
func orNull[Word ~string](word Word) any {
	if word == "" {
		return nil
	}
	return word
}

func toError(err error) plain {
	var rejected *spread.RefusedError
	if errors.As(err, &rejected) {
		return plain{"kind": "rejected", "errors": len(rejected.Refusals), "message": err.Error()}
	}
	var failure *spread.SpreadError
	if !errors.As(err, &failure) {
		return plain{"kind": "driver", "message": err.Error()}
	}
	result := withoutKind(failure)
	result["kind"] = "spread"
	return result
}

func withoutKind(failure *spread.SpreadError) plain {
	result := plain{
		"status":       failure.StatusName(),
		"reason":       failure.Reason,
		"domain":       failure.Domain,
		"code":         nil,
		"number":       nil,
		"metadata":     failure.Metadata,
		"retryable":    failure.Retryable,
		"retryDelayMs": nil,
		"outcome":      orNull(failure.Outcome),
		"message":      failure.Message,
	}
	if failure.Metadata == nil {
		result["metadata"] = plain{}
	}
	if code, ok := failure.Code(); ok {
		result["code"], result["number"] = code.String(), int(code)
	}
	if failure.RetryDelay > 0 {
		result["retryDelayMs"] = inMillis(failure.RetryDelay)
	}
	return result
}

func toGroupID(id spread.GroupID) []int64 {
	return []int64{int64(id.DaemonID), int64(id.Time), int64(id.Index)}
}

func withContent(result plain, content *spread.Content) plain {
	result["sender"] = content.Sender
	result["groups"] = list(content.Groups)
	result["serviceType"] = orNull(content.ServiceType.Name())
	result["messageType"] = content.MessageType
	result["payload"] = list(content.Payload)
	result["headers"] = plain{}
	if content.Headers != nil {
		result["headers"] = content.Headers
	}
	return result
}

func toPlain(event spread.Event) plain {
	sequence := event.Info().Sequence
	switch event := event.(type) {
	case *spread.RegularMessage:
		result := withContent(plain{"kind": "regular", "sequence": sequence}, &event.Content)
		result["endianMismatch"] = event.EndianMismatch
		result["selfDiscard"] = event.SelfDiscard()
		return result
	case *spread.RejectedMessage:
		return withContent(plain{"kind": "rejected", "sequence": sequence, "operation": orNull(event.Operation)}, &event.Content)
	case *spread.ViewMessage:
		sets := []plain{}
		for _, set := range event.Sets {
			sets = append(sets, plain{"members": list(set.Members), "mine": set.Mine})
		}
		return plain{
			"kind":           "view",
			"sequence":       sequence,
			"group":          event.Group,
			"groupId":        toGroupID(event.GroupID),
			"cause":          orNull(event.Cause),
			"members":        list(event.Members),
			"ownIndex":       event.OwnIndex,
			"changedMembers": list(event.ChangedMembers),
			"sets":           sets,
		}
	case *spread.TransitionalMessage:
		groupID := toGroupID(event.GroupID)
		return plain{"kind": "transitional", "sequence": sequence, "group": event.Group, "groupId": groupID}
	case *spread.SelfLeaveMessage:
		return plain{"kind": "selfLeave", "sequence": sequence, "group": event.Group}
	case *spread.ConnectionLost:
		return plain{
			"kind":         "connectionLost",
			"sequence":     sequence,
			"privateGroup": event.PrivateGroup,
			"groups":       list(event.Groups),
			"spreadCode":   int(event.SpreadCode),
		}
	case *spread.ConnectionRestored:
		return plain{
			"kind":                 "connectionRestored",
			"sequence":             sequence,
			"previousPrivateGroup": event.PreviousPrivateGroup,
			"privateGroup":         event.PrivateGroup,
			"groups":               list(event.Groups),
			"daemon":               event.Daemon,
		}
	}
	return plain{"kind": nil, "sequence": sequence}
}

func toNotice(notice spread.Notice) plain {
	switch notice := notice.(type) {
	case spread.Attached:
		return plain{"kind": "attached", "nextSequence": notice.NextSequence, "groups": list(notice.Groups)}
	case spread.Detached:
		return plain{"kind": "detached", "error": toError(notice.Err)}
	case spread.SlowConsumer:
		result := plain{
			"kind":         "slowConsumer",
			"queuedEvents": notice.QueuedEvents,
			"queuedBytes":  notice.QueuedBytes,
			"timeLeftMs":   nil,
		}
		if notice.TimeLeft != nil {
			result["timeLeftMs"] = inMillis(*notice.TimeLeft)
		}
		return result
	case spread.Ended:
		if notice.Err == nil {
			return plain{"kind": "ended", "error": nil}
		}
		return plain{"kind": "ended", "error": toError(notice.Err)}
	}
	return plain{"kind": nil}
}

func toProgress(progress spread.SenderProgress) plain {
	return plain{"sent": progress.Sent, "decided": progress.Decided, "accepted": progress.Accepted}
}
