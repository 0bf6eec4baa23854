"""What Kubernetes' JSON schemas say of manifests. They come with the package kubernetes-validate, for many releases.

{"version": "1.33", "manifests": [...]} in; problems, and the indices of the manifests without a schema, out.
"""

import functools
import json
import sys

from kubernetes_validate import utils

# One reading of each file: some have megabytes.
utils.schema_contents = functools.lru_cache(maxsize=None)(utils.schema_contents)


def validate(version, manifests):
    problems, unknown = [], []
    for at, manifest in enumerate(manifests):
        try:
            utils.validate(manifest, version, strict=True)
        except utils.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            problems.append(f"{manifest['kind']} {manifest['metadata']['name']}: {path}: {error.message}")
        except utils.SchemaNotFoundError:
            unknown.append(at)
    return {"problems": problems, "unknown": unknown}


if __name__ == "__main__":
    request = json.load(sys.stdin)
    json.dump(validate(request["version"], request["manifests"]), sys.stdout)
