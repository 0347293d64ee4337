"""The kubeconfig of the stack's provider, as a file for kubectl."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from review.cluster.kubectl import UnansweredError
from review.preview import SECRET

_KEY = "kubernetes:kubeconfig"


@contextmanager
def kubeconfig(config: Mapping[str, str]) -> Iterator[Path | None]:
    """The kubeconfig that a stack's configuration sets, as a file; None if it sets none.

    Like the provider, it accepts a path or the content. Content is written to a temporary file.
    Raises UnansweredError if it is unusable.
    """
    value = config.get(_KEY, "")
    if value == SECRET:
        raise UnansweredError(f"{_KEY} is a secret, which a preview does not contain; set it to the path of a file")
    # Content may be longer than a path may be.
    is_content = value.startswith("{") or "\n" in value
    if not value or (not is_content and Path(value).expanduser().is_file()):
        yield Path(value).expanduser() if value else None
        return
    if not _is_kubeconfig(value):
        raise UnansweredError(f"{_KEY} is neither an existing file nor a kubeconfig")
    with tempfile.TemporaryDirectory() as folder:  # only accessible to its owner
        file = Path(folder) / "kubeconfig"
        file.touch(mode=0o600)
        file.write_text(value, encoding="utf-8")
        yield file


def _is_kubeconfig(content: str) -> bool:
    try:
        parsed = yaml.safe_load(content)
    except yaml.YAMLError:
        return False
    return isinstance(parsed, Mapping) and "clusters" in parsed
