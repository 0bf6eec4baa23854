package main

import (
	"encoding/json"
	"time"

	spread "github.com/spread-sidecar/spread-sidecar/clients/go"
)

// args has the arguments of all requests.
type args struct {
	Op        int64    `json:"op"`
	TimeoutMs *float64 `json:"timeoutMs"`

	Sidecar       string            `json:"sidecar"`
	Target        string            `json:"target"` // of a channel, or of a request
	TLS           *tlsArgs          `json:"tls"`
	Token         string            `json:"token"`
	Insecure      bool              `json:"insecure"`
	Headers       map[string]string `json:"headers"`
	CallTimeoutMs *float64          `json:"callTimeoutMs"`

	Mailbox               string          `json:"mailbox"`
	MailboxID             string          `json:"mailboxId"`
	AfterSequence         *uint64         `json:"afterSequence"`
	PrivateName           string          `json:"privateName"`
	SpreadName            string          `json:"spreadName"`
	OnNameConflict        string          `json:"onNameConflict"`
	Priority              int             `json:"priority"`
	Membership            *bool           `json:"membership"`
	Auth                  string          `json:"auth"`
	LeaseMs               *float64        `json:"leaseMs"`
	Reconnect             json.RawMessage `json:"reconnect"`
	Queue                 *queueArgs      `json:"queue"`
	Acknowledgement       string          `json:"acknowledgement"`
	ManualAcknowledgement bool            `json:"manualAcknowledgement"`
	AutoReceive           bool            `json:"autoReceive"`
	MaxBufferedEvents     int             `json:"maxBufferedEvents"`
	MaxBufferedBytes      int             `json:"maxBufferedBytes"`
	MaxOutstandingEvents  uint64          `json:"maxOutstandingEvents"`
	MaxOutstandingBytes   uint64          `json:"maxOutstandingBytes"`
	HeartbeatIntervalMs   *float64        `json:"heartbeatIntervalMs"`
	KeepAlive             *bool           `json:"keepAlive"`
	LeaveGroupsFirst      bool            `json:"leaveGroupsFirst"`
	Abort                 bool            `json:"abort"`
	Receives              bool            `json:"receives"`
	ReceivesFrom          string          `json:"receivesFrom"`
	Group                 string          `json:"group"`
	AwaitView             bool            `json:"awaitView"`
	Daemon                bool            `json:"daemon"`
	Sequence              *uint64         `json:"sequence"`
	Count                 *int            `json:"count"`

	ServiceType string   `json:"serviceType"`
	Groups      []string `json:"groups"`
	Payload     []byte   `json:"payload"`
	MessageType int      `json:"messageType"`
	SelfDiscard bool     `json:"selfDiscard"`

	Sender              string `json:"sender"`
	MaxInFlightMessages int    `json:"maxInFlightMessages"`
	MaxInFlightBytes    int    `json:"maxInFlightBytes"`
	MaxBatchBytes       int    `json:"maxBatchBytes"`
	Times               *int   `json:"times"`
	Callback            *bool  `json:"callback"`

	Calls       string          `json:"calls"`
	Behaviour   string          `json:"behaviour"`
	Concurrency *int            `json:"concurrency"`
	MaxQueued   *int            `json:"maxQueued"`
	Replies     json.RawMessage `json:"replies"`

	Raw          bool    `json:"raw"`
	PayloadBytes int     `json:"payloadBytes"`
	Seconds      float64 `json:"seconds"`
}

type tlsArgs struct {
	CA         string `json:"ca"`
	Cert       string `json:"cert"`
	Key        string `json:"key"`
	ServerName string `json:"serverName"`
}

type queueArgs struct {
	MaxEvents   uint64 `json:"maxEvents"`
	MaxBytes    uint64 `json:"maxBytes"`
	ReplayBytes uint64 `json:"replayBytes"`
	Overflow    string `json:"overflow"`
	SoftLimit   *struct {
		Fraction float64  `json:"fraction"`
		TimeMs   *float64 `json:"timeMs"`
	} `json:"softLimit"`
}

// millis converts milliseconds. 0 if not given.
func millis(ms *float64) time.Duration {
	if ms == nil {
		return 0
	}
	return time.Duration(*ms * float64(time.Millisecond))
}

func inMillis(duration time.Duration) float64 { return float64(duration) / float64(time.Millisecond) }

func (a *args) channel() (spread.Options, error) {
	options := spread.Options{
		Target:      a.Target,
		Token:       a.Token,
		Insecure:    a.Insecure,
		Headers:     a.Headers,
		CallTimeout: millis(a.CallTimeoutMs),
	}
	if a.TLS != nil {
		config, err := spread.TLSFromPEM([]byte(a.TLS.CA), []byte(a.TLS.Cert), []byte(a.TLS.Key))
		if err != nil {
			return options, err
		}
		config.ServerName = a.TLS.ServerName
		options.TLS = config
	}
	return options, nil
}

func (a *args) receiving() spread.ReceiveOptions {
	options := spread.ReceiveOptions{
		AutoReceive:           a.AutoReceive,
		MaxBufferedEvents:     a.MaxBufferedEvents,
		MaxBufferedBytes:      a.MaxBufferedBytes,
		ManualAcknowledgement: a.ManualAcknowledgement,
		MaxOutstandingEvents:  a.MaxOutstandingEvents,
		MaxOutstandingBytes:   a.MaxOutstandingBytes,
		HeartbeatInterval:     millis(a.HeartbeatIntervalMs),
		NoKeepAlive:           a.KeepAlive != nil && !*a.KeepAlive,
	}
	if a.HeartbeatIntervalMs != nil && *a.HeartbeatIntervalMs == 0 {
		options.HeartbeatInterval = -1
	}
	return options
}

func (a *args) mailboxOptions() (spread.MailboxOptions, error) {
	options := spread.MailboxOptions{
		ReceiveOptions:  a.receiving(),
		SpreadName:      a.SpreadName,
		PrivateName:     a.PrivateName,
		OnNameConflict:  spread.NameConflict(a.OnNameConflict),
		Priority:        a.Priority,
		NoMembership:    a.Membership != nil && !*a.Membership,
		Auth:            spread.AuthMethod(a.Auth),
		Lease:           millis(a.LeaseMs),
		Acknowledgement: spread.AcknowledgementMode(a.Acknowledgement),
	}
	if q := a.Queue; q != nil {
		options.Queue = &spread.QueueOptions{
			MaxEvents:   q.MaxEvents,
			MaxBytes:    q.MaxBytes,
			ReplayBytes: q.ReplayBytes,
			Overflow:    spread.OverflowPolicy(q.Overflow),
		}
		if q.SoftLimit != nil {
			options.Queue.SoftLimit = &spread.SoftLimit{Fraction: q.SoftLimit.Fraction, Time: millis(q.SoftLimit.TimeMs)}
		}
	}
	var err error
	options.Reconnect, err = a.reconnect()
	return options, err
}

func (a *args) reconnect() (*spread.ReconnectOptions, error) {
	var wish bool
	if len(a.Reconnect) == 0 || json.Unmarshal(a.Reconnect, &wish) == nil {
		if wish {
			return &spread.ReconnectOptions{}, nil
		}
		return nil, nil
	}
	var given struct {
		GiveUpAfterMs   *float64 `json:"giveUpAfterMs"`
		OnNameLoss      string   `json:"onNameLoss"`
		QueueMulticasts bool     `json:"queueMulticasts"`
	}
	if err := json.Unmarshal(a.Reconnect, &given); err != nil {
		return nil, err
	}
	return &spread.ReconnectOptions{
		GiveUpAfter:     millis(given.GiveUpAfterMs),
		OnNameLoss:      spread.NameLoss(given.OnNameLoss),
		QueueMulticasts: given.QueueMulticasts,
	}, nil
}

var services = map[string]spread.Service{
	"UNRELIABLE": spread.UnreliableMess,
	"RELIABLE":   spread.ReliableMess,
	"FIFO":       spread.FifoMess,
	"CAUSAL":     spread.CausalMess,
	"AGREED":     spread.AgreedMess,
	"SAFE":       spread.SafeMess,
}

func (a *args) service() spread.Service {
	service := services[a.ServiceType]
	if a.SelfDiscard {
		service |= spread.SelfDiscard
	}
	return service
}

// once is the number of repetitions, 1 by default.
func once(count *int) int {
	if count == nil {
		return 1
	}
	return *count
}
