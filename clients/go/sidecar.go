package spreadsidecar

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/rules"
	"google.golang.org/grpc"
	grpcbackoff "google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
)

// receiveWindow is the HTTP/2 window of a Receive stream and of the connection. With HTTP/2's default of 64
// KiB, a fast sidecar would wait for each round trip. The sidecar's replay window (mailbox.replayWindow) is
// several times as large, for streams that break.
const receiveWindow = 1 << 20

// Sidecar is a channel to a sidecar, which opens mailboxes. It connects at the first call.
type Sidecar struct {
	target string
	rpc    *rpc

	mu        sync.Mutex
	mailboxes map[*Mailbox]struct{}
	closed    bool
	// done is closed after everything is closed.
	done     chan struct{}
	closeErr error
}

// New creates a channel. It fails only for invalid options, not for an unreachable sidecar. If no target is
// set, the target, TLS and token come from environment variables; see [Options].
func New(given Options) (*Sidecar, error) {
	options, fromPEM, err := completeOptions(given, os.Getenv)
	if err != nil {
		return nil, err
	}
	if fromPEM != nil {
		if options.TLS, err = fromPEM.config(); err != nil {
			return nil, err
		}
	}
	targetField := "target"
	if given.Target == "" && options.Target != "" {
		targetField = targetVariable
	}
	if options.Target == "" {
		options.Target = DefaultTarget
	}
	if options.CallTimeout == 0 {
		options.CallTimeout = rules.CallTimeout
	}
	if options.ConnectionKeepAlive == 0 {
		options.ConnectionKeepAlive = 10 * time.Second
	}
	if options.ConnectionKeepAlive < 0 {
		return nil, fieldError("connectionKeepAlive", "a duration, more than 0", options.ConnectionKeepAlive)
	}
	where, err := parseTarget(options.Target, targetField)
	if err != nil {
		return nil, err
	}
	security, err := newSecurity(where, options)
	if err != nil {
		return nil, err
	}
	dial := append([]grpc.DialOption{
		grpc.WithTransportCredentials(security.credentials),
		grpc.WithUserAgent("spread-sidecar-go/" + ClientVersion),
		// A sidecar is local or near: do not use the proxy of the environment.
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		// Never send a message twice.
		grpc.WithDisableRetry(),
		grpc.WithInitialWindowSize(receiveWindow),
		grpc.WithInitialConnWindowSize(receiveWindow),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:    options.ConnectionKeepAlive,
			Timeout: options.ConnectionKeepAlive / 2,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: grpcbackoff.Config{
				BaseDelay:  100 * time.Millisecond,
				Multiplier: 1.6,
				Jitter:     0.2,
				MaxDelay:   2 * time.Second,
			},
			MinConnectTimeout: 5 * time.Second,
		}),
	}, options.DialOptions...)
	conn, err := grpc.NewClient(where.grpc(), dial...)
	if err != nil {
		failure := optionError("dialOptions", "valid options of a channel", fmt.Sprintf("DialOptions are invalid: %v", err))
		failure.Cause = err
		return nil, failure
	}
	r := &rpc{
		conn:        conn,
		stub:        pb.NewMailboxServiceClient(conn),
		security:    security,
		endpoint:    &endpoint{name: where.inMessages(options.Target), target: where, hasTLS: options.TLS != nil},
		callTimeout: options.CallTimeout,
	}
	for name, value := range options.Headers {
		r.headers = append(r.headers, name, value)
	}
	return &Sidecar{
		target:    options.Target,
		rpc:       r,
		mailboxes: map[*Mailbox]struct{}{},
		done:      make(chan struct{}),
	}, nil
}

// Target returns the target of the channel.
func (s *Sidecar) Target() string { return s.target }

// Connect opens a mailbox (SP_connect). If it fails, for example with ErrRejectNotUnique or
// ErrCouldNotConnect, no mailbox was opened.
func (s *Sidecar) Connect(ctx context.Context, options MailboxOptions) (*Mailbox, error) {
	return s.connect(ctx, options, func() {})
}

func (s *Sidecar) connect(ctx context.Context, options MailboxOptions, onClosed func()) (*Mailbox, error) {
	request, err := connectRequest(options)
	if err != nil {
		return nil, err
	}
	if err := s.checkOpen(); err != nil {
		return nil, err
	}
	answer, err := call(ctx, s.rpc, s.rpc.stub.Connect, request)
	if err != nil {
		return nil, err
	}
	if answer.GetMailboxId() == "" {
		return nil, invalidResponse("Connect", "has no mailbox_id")
	}
	return s.keep(mailboxInit{
		id:              answer.GetMailboxId(),
		privateGroup:    answer.GetPrivateGroup(),
		daemon:          answer.GetDaemon(),
		daemonVersion:   toTriple(answer.GetDaemonVersion()),
		limits:          toLimits(answer.GetLimits()),
		acknowledgement: toAcknowledgement(answer.GetAcknowledgement()),
	}, options.ReceiveOptions, onClosed), nil
}

// Attach attaches to a mailbox that this process or a different process opened; see [Mailbox.Detach]. When
// the returned mailbox starts to receive, it replaces the receiver that is attached.
func (s *Sidecar) Attach(ctx context.Context, mailboxID string, options AttachOptions) (*Mailbox, error) {
	if err := s.checkOpen(); err != nil {
		return nil, err
	}
	info, err := fetchInfo(ctx, s.rpc, mailboxID)
	if err != nil {
		return nil, err
	}
	after := info.DeliveredSequence
	if info.Acknowledgement == AckExplicit {
		after = info.AcknowledgedSequence
	}
	if options.AfterSequence != nil {
		after = *options.AfterSequence
	}
	return s.keep(mailboxInit{
		id:              mailboxID,
		privateGroup:    info.PrivateGroup,
		daemon:          info.Daemon,
		daemonVersion:   info.DaemonVersion,
		limits:          info.Limits,
		acknowledgement: info.Acknowledgement,
		afterSequence:   after,
	}, options.ReceiveOptions, func() {}), nil
}

func (s *Sidecar) keep(init mailboxInit, options ReceiveOptions, onClosed func()) *Mailbox {
	mailbox := newMailbox(s.rpc, init, options, func(m *Mailbox) {
		s.mu.Lock()
		delete(s.mailboxes, m)
		s.mu.Unlock()
		onClosed()
	})
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.mailboxes[mailbox] = struct{}{}
	}
	s.mu.Unlock()
	if closed {
		mailbox.Detach()
	}
	return mailbox
}

// Version returns the versions of the sidecar, the contract, Spread's client protocol and the daemon
// (SP_version).
func (s *Sidecar) Version(ctx context.Context) (*SidecarVersion, error) {
	if err := s.checkOpen(); err != nil {
		return nil, err
	}
	answer, err := call(ctx, s.rpc, s.rpc.stub.GetVersion, &pb.GetVersionRequest{})
	if err != nil {
		return nil, err
	}
	version := &SidecarVersion{
		Sidecar:        answer.GetSidecar(),
		Contract:       answer.GetContract(),
		ClientProtocol: toTriple(answer.GetClientProtocol()),
		DaemonAddress:  answer.GetDaemonAddress(),
		EmbeddedDaemon: answer.GetEmbeddedDaemon(),
	}
	if answer.GetDaemon() != nil {
		daemon := toTriple(answer.GetDaemon())
		version.Daemon = &daemon
	}
	return version, nil
}

// ListOptions are the options of [Sidecar.ListMailboxes].
type ListOptions struct {
	// AdminToken is the sidecar's admin token. The client rejects it on a channel on which others could read
	// it. Default: the channel's token.
	AdminToken string
	// PageSize is the maximum number of mailboxes per call, 1 to 1000. Default: 100.
	PageSize int
}

// ListMailboxes iterates over the state and the counters of all mailboxes of the sidecar. It requests one
// page at a time. It is for operators, and requires the admin token. If an error occurs, it is the last
// element.
func (s *Sidecar) ListMailboxes(ctx context.Context, options ListOptions) iter.Seq2[*MailboxInfo, error] {
	return func(yield func(*MailboxInfo, error) bool) {
		request := &pb.ListMailboxesRequest{}
		for {
			page, err := s.listPage(ctx, options, request)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, mailbox := range page.GetMailboxes() {
				if !yield(toInfo(mailbox), nil) {
					return
				}
			}
			next := page.GetNextPageToken()
			if next == "" {
				return
			}
			if next == request.PageToken {
				// Otherwise a sidecar that repeats a page token would cause an endless loop.
				yield(nil, invalidResponse("ListMailboxes", "repeats the page token of the request"))
				return
			}
			request = &pb.ListMailboxesRequest{PageSize: request.PageSize, PageToken: next}
		}
	}
}

func (s *Sidecar) listPage(
	ctx context.Context, options ListOptions, request *pb.ListMailboxesRequest,
) (*pb.ListMailboxesResponse, error) {
	if err := s.checkOpen(); err != nil {
		return nil, err
	}
	if options.PageSize < 0 || options.PageSize > math.MaxInt32 {
		return nil, fieldError("pageSize", "0 or more", options.PageSize)
	}
	request.PageSize = uint32(options.PageSize)
	if options.AdminToken == "" {
		return call(ctx, s.rpc, s.rpc.stub.ListMailboxes, request)
	}
	if err := s.rpc.security.checkTokenAllowed("adminToken"); err != nil {
		return nil, err
	}
	authorization, err := bearer(options.AdminToken)
	if err != nil {
		return nil, err
	}
	bounded, cancel := s.rpc.bounded(ctx)
	defer cancel()
	var p peer.Peer
	page, err := s.rpc.stub.ListMailboxes(s.rpc.withHeaders(bounded, authorization), request, grpc.Peer(&p))
	if err != nil {
		return nil, withContext(ctx, s.rpc.endpoint.explain(err, &p))
	}
	return page, nil
}

// ReadyOptions are the options of [Sidecar.WaitForReady].
type ReadyOptions struct {
	// Daemon means: also wait until the sidecar is connected to its default daemon.
	Daemon bool
}

// WaitForReady waits until the sidecar responds. It retries failed attempts until the context ends. If the
// context has no deadline, it ends after the channel's call timeout. If a retry cannot help, it fails
// immediately.
func (s *Sidecar) WaitForReady(ctx context.Context, options ReadyOptions) error {
	bounded, cancel := s.rpc.bounded(ctx)
	defer cancel()
	pauses := rules.NewReadyBackoff(rand.Float64)
	last := "no response"
	for {
		// The channel's backoff is for calls that do not wait.
		s.rpc.conn.ResetConnectBackoff()
		version, err := s.Version(bounded)
		if err == nil && (!options.Daemon || version.Daemon != nil) {
			return nil
		}
		var failure *SpreadError
		switch {
		case err == nil:
			last = "the sidecar is not connected to its daemon"
		case errors.As(err, &failure) && !rules.RepeatsReady(failure.Status) && bounded.Err() == nil:
			return err
		case bounded.Err() == nil:
			last = failure.Message
		}
		if !pause(bounded, pauses.Next()) {
			ended := contextError(bounded, "waiting for the sidecar at "+s.target+": "+last)
			if ended.Status == codes.DeadlineExceeded {
				ended.Message = fmt.Sprintf("the sidecar at %s was not ready before the deadline: %s", s.target, last)
			}
			return ended
		}
	}
}

func (s *Sidecar) checkOpen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &SpreadError{Message: "the channel is closed", Status: codes.Canceled, Outcome: OutcomeNotSent}
	}
	return nil
}

// ShutdownOptions are the options of [Sidecar.Shutdown].
type ShutdownOptions struct {
	// KeepMailboxes means: detach the mailboxes instead of ending them. They live until their lease expires.
	KeepMailboxes bool
}

// Shutdown disconnects the mailboxes that were opened or attached over this channel, and closes it. It fails
// like [Mailbox.Disconnect], but closes the channel in any case. A second call waits for the first call.
func (s *Sidecar) Shutdown(ctx context.Context, options ShutdownOptions) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.done
		return s.closeErr
	}
	s.closed = true
	var mailboxes []*Mailbox
	for mailbox := range s.mailboxes {
		mailboxes = append(mailboxes, mailbox)
	}
	s.mu.Unlock()
	failures := make([]error, len(mailboxes))
	var all sync.WaitGroup
	for i, mailbox := range mailboxes {
		all.Add(1)
		go func() {
			defer all.Done()
			if options.KeepMailboxes {
				mailbox.Detach()
			} else {
				_, failures[i] = mailbox.Disconnect(ctx, DisconnectOptions{})
			}
		}()
	}
	all.Wait()
	_ = s.rpc.conn.Close()
	if i := slices.IndexFunc(failures, func(err error) bool { return err != nil }); i >= 0 {
		s.closeErr = failures[i]
	}
	close(s.done)
	return s.closeErr
}

// Close calls Shutdown without options. Its timeout is the channel's call timeout.
func (s *Sidecar) Close() error { return s.Shutdown(context.Background(), ShutdownOptions{}) }

// Connect opens a mailbox over its own channel. The channel closes with the mailbox. To open several
// mailboxes over one channel, use [New].
func Connect(ctx context.Context, sidecar Options, mailbox MailboxOptions) (*Mailbox, error) {
	s, err := New(sidecar)
	if err != nil {
		return nil, err
	}
	opened, err := s.connect(ctx, mailbox, func() { _ = s.Shutdown(context.Background(), ShutdownOptions{KeepMailboxes: true}) })
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return opened, nil
}
