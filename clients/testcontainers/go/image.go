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

// DefaultImage is the value of the environment variable SPREAD_SIDECAR_IMAGE. If that variable is not set,
// DefaultImage is spread-sidecar:test.
var DefaultImage = cmp.Or(os.Getenv("SPREAD_SIDECAR_IMAGE"), builtImage)

// MissingImageError reports that the Docker engine does not have the image and cannot pull it.
type MissingImageError struct {
	Image string
	// Err is the error from the attempt to start the container.
	Err error
}

func (e *MissingImageError) Error() string {
	return fmt.Sprintf("the Docker engine cannot find or pull the image %s; "+
		"build %s with \"npm run image\" in a clone of spread-sidecar, or use another image", e.Image, builtImage)
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
