"""Security contexts, and what Pod Security denies of them."""

from typing import Any

import pytest

from components import Security
from components.pod.security import NONROOT, restricted_violations
from tests.problems import errors


def _pod(security: Security, *, init: Security | None = None) -> dict[str, Any]:
    containers = [{"name": "a", "securityContext": security.of_container()}]
    inits = [{"name": "b", "securityContext": init.of_container()}] if init else []
    return {"securityContext": security.of_pod(), "containers": containers, "initContainers": inits}


def test_the_default_complies_with_restricted() -> None:
    assert Security().of_pod() == {
        "runAsNonRoot": True,
        "runAsUser": NONROOT,
        "runAsGroup": NONROOT,
        "fsGroup": NONROOT,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert Security().of_container() == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert restricted_violations(_pod(Security())) == {}


def test_each_exception_changes_its_field_only() -> None:
    assert Security(run_as_user=1000).of_pod()["fsGroup"] == 1000
    root = Security(run_as_root=True).of_pod()
    assert (root["runAsNonRoot"], root["runAsUser"]) == (False, 0)
    assert Security(writable_root=True).of_container()["readOnlyRootFilesystem"] is False
    capabilities = Security(capabilities=["IPC_LOCK"]).of_container()["capabilities"]
    assert capabilities == {"drop": ["ALL"], "add": ["IPC_LOCK"]}


@pytest.mark.parametrize(
    ("security", "levels"),
    [
        ({"run_as_root": True}, ["baseline"]),
        ({"capabilities": ["NET_BIND_SERVICE"]}, []),
        ({"capabilities": ["CHOWN"]}, ["baseline"]),
        ({"capabilities": ["IPC_LOCK", "CHOWN"]}, ["baseline", "privileged"]),
        ({"run_as_root": True, "capabilities": ["SYS_ADMIN"]}, ["baseline", "privileged"]),
        ({"run_as_user": 1, "writable_root": True, "api_token": True}, []),
    ],
)
def test_violations_of_restricted_and_the_level_that_allows_them(security: dict[str, Any], levels: list[str]) -> None:
    assert list(restricted_violations(_pod(Security(**security))).values()) == levels


def test_init_containers_are_checked_too() -> None:
    found = restricted_violations(_pod(Security(), init=Security(capabilities=["IPC_LOCK"])))
    assert list(found.values()) == ["privileged"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"run_as_user": 0}, ("out-of-range", "run_as_user")),
        ({"capabilities": ["ipc_lock"]}, ("invalid", "capabilities[0]")),
    ],
)
def test_invalid_arguments(arguments: dict[str, Any], error: tuple[str, str]) -> None:
    assert errors(lambda: Security(**arguments)) == [error]
