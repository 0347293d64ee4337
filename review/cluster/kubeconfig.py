"""The kubeconfig that the stack's provider uses, for a program that wants a file."""

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
    """The file that a stack's configuration names, or one with the content that it has; None: it says nothing.

    As for the provider, what is no file is content. Raises UnansweredError where it cannot be used.
    """
    given = config.get(_KEY, "")
    if given == SECRET:
        raise UnansweredError(f"{_KEY} is a secret, which a preview does not show; set it to the path of a file")
    # What begins as JSON may be too long to ask the file system for it.
    if not given or (not given.startswith("{") and "\n" not in given and Path(given).expanduser().is_file()):
        yield Path(given).expanduser() if given else None
        return
    if not _is_kubeconfig(given):
        raise UnansweredError(f"{_KEY} is neither a file that is there nor a kubeconfig")
    with tempfile.TemporaryDirectory() as folder:  # only its owner may enter it
        file = Path(folder) / "kubeconfig"
        file.touch(mode=0o600)
        file.write_text(given, encoding="utf-8")
        yield file


def _is_kubeconfig(content: str) -> bool:
    try:
        read = yaml.safe_load(content)
    except yaml.YAMLError:
        return False
    return isinstance(read, Mapping) and "clusters" in read
