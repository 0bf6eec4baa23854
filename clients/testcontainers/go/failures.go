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

// ErrNoSeparateDaemon is the error of PauseDaemon and ResumeDaemon without [WithSeparateDaemon].
var ErrNoSeparateDaemon = errors.New("PauseDaemon and ResumeDaemon require a separate daemon; pass WithSeparateDaemon() to Run")

// DropMailbox closes a mailbox's connection to its daemon, as if the daemon had closed it. With
// ReconnectOptions, the mailbox receives ConnectionLost and then ConnectionRestored. Without them, the mailbox
// ends with CONNECTION_CLOSED. The argument mailbox is the mailbox ID, the display ID or the private group.
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
		err = fmt.Errorf("mailbox %s was not dropped: %s", mailbox, strings.TrimSpace(string(said)))
	}
	return err
}

// PauseDaemon pauses the daemon. Its connections stay open, but it delivers nothing until ResumeDaemon. Without
// [WithSeparateDaemon], PauseDaemon fails with [ErrNoSeparateDaemon].
func (c *SpreadSidecarContainer) PauseDaemon(ctx context.Context) error {
	return c.pauseDaemon(ctx, true)
}

// ResumeDaemon resumes a paused daemon.
func (c *SpreadSidecarContainer) ResumeDaemon(ctx context.Context) error {
	return c.pauseDaemon(ctx, false)
}

func (c *SpreadSidecarContainer) pauseDaemon(ctx context.Context, paused bool) error {
	if c.daemon == nil {
		return ErrNoSeparateDaemon
	}
	return c.daemon.pause(ctx, paused)
}
