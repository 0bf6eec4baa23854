"""The image of the containers."""

from __future__ import annotations

import os
from typing import Any

from docker.errors import DockerException, ImageNotFound
from testcontainers.core.docker_client import DockerClient

_BUILT_IMAGE = "spread-sidecar:test"

#: The default image: the value of the environment variable SPREAD_SIDECAR_IMAGE. If that variable is not set,
#: ``spread-sidecar:test``.
DEFAULT_IMAGE: str = os.environ.get("SPREAD_SIDECAR_IMAGE") or _BUILT_IMAGE


class MissingImage(RuntimeError):
    """The Docker engine does not have the image and cannot pull it."""


def missing_image(
    image: str, failure: BaseException, docker_client_kw: dict[str, Any] | None
) -> MissingImage | None:
    """The error for an image that the engine does not have. None if the engine has it or does not respond."""
    if not isinstance(failure, DockerException):
        return None
    engine = DockerClient(**(docker_client_kw or {})).client
    try:
        engine.images.get(image)
    except ImageNotFound:
        return MissingImage(
            f"the Docker engine cannot find or pull the image {image}; "
            f'build {_BUILT_IMAGE} with "npm run image" in a clone of spread-sidecar, or use another image'
        )
    except DockerException:
        return None
    finally:
        engine.close()
    return None
