package spreadcontainer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// ErrNoSeparateDaemon is what pausing a daemon fails with that is inside of the sidecar, or yours.
var ErrNoSeparateDaemon = errors.New("the daemon is not in a container of its own: run with WithSeparateDaemon()")

// DropMailbox cuts a mailbox's connection to its daemon, as if the daemon had. With ReconnectOptions the mailbox tells
// ConnectionLost and then ConnectionRestored; else it ends with CONNECTION_CLOSED. It is named by its id or its private group.
func (c *SpreadSidecarContainer) DropMailbox(ctx context.Context, mailbox string) error {
	page, err := c.adminURL(ctx, "/drop-mailbox?mailbox="+url.QueryEscape(mailbox))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, page, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.adminToken)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s was not dropped: %s", mailbox, strings.TrimSpace(string(said)))
	}
	return err
}

// PauseDaemon freezes the daemon: its connections stay, and nothing is delivered until ResumeDaemon. It needs
// [WithSeparateDaemon], else it fails with [ErrNoSeparateDaemon].
func (c *SpreadSidecarContainer) PauseDaemon(ctx context.Context) error {
	return c.pauseDaemon(ctx, true)
}

// ResumeDaemon lets a paused daemon continue.
func (c *SpreadSidecarContainer) ResumeDaemon(ctx context.Context) error {
	return c.pauseDaemon(ctx, false)
}

func (c *SpreadSidecarContainer) pauseDaemon(ctx context.Context, paused bool) error {
	if c.daemon == nil {
		return ErrNoSeparateDaemon
	}
	return c.daemon.pause(ctx, paused)
}
