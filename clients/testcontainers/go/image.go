package spreadcontainer

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/containerd/errdefs"
	"github.com/testcontainers/testcontainers-go"
)

const builtImage = "spread-sidecar:test"

// DefaultImage is the environment variable SPREAD_SIDECAR_IMAGE, by default spread-sidecar:test.
var DefaultImage = cmp.Or(os.Getenv("SPREAD_SIDECAR_IMAGE"), builtImage)

// MissingImageError is the error for an image that the Docker engine neither has nor can pull.
type MissingImageError struct {
	Image string
	// Err is the error of the container's start.
	Err error
}

func (e *MissingImageError) Error() string {
	return fmt.Sprintf("the Docker engine does not have the image %s and cannot pull it. "+
		"Run \"npm run image\" in a clone of spread-sidecar (builds %s) or set another image", e.Image, builtImage)
}

// Unwrap returns the cause.
func (e *MissingImageError) Unwrap() error { return e.Err }

// isMissing reports whether the engine does not have the image. It returns false if the engine does not
// respond.
func isMissing(ctx context.Context, image string) bool {
	ctx = context.WithoutCancel(ctx)
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return false
	}
	defer docker.Close()
	_, err = docker.ImageInspect(ctx, image)
	return errdefs.IsNotFound(err)
}
