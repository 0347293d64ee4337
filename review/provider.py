"""Which cluster a stack's Kubernetes provider talks to, told to kubectl."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def kubectl_flags(context: str | None, kubeconfig: str | None) -> Iterator[list[str]]:
    """kubectl's flags for ``kubernetes:context`` and ``kubernetes:kubeconfig``, which is a path or the file's contents.

    Contents are credentials: they are in a file that only this user can read, and only as long as it is needed.
    """
    flags = ["--context", context] if context else []
    if kubeconfig is None:
        yield flags
    elif "\n" not in kubeconfig and not kubeconfig.startswith("{"):
        yield [*flags, "--kubeconfig", str(Path(kubeconfig).expanduser())]
    else:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".kubeconfig") as file:
            file.write(kubeconfig)
            file.flush()
            yield [*flags, "--kubeconfig", file.name]
