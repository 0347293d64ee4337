"""A snapshot: all objects of a cluster, except the values of its Secrets."""

import gc
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from components.base.objects import Manifest, target
from review import messages, twin_messages
from review.cluster.kubectl import Cluster, ClusterError, ForbiddenError, UnansweredError
from review.messages import Message
from review.twin.client import DISCOVERY, Resource, discovered
from review.twin.reader import NotServedError, Reader, reader

PLACEHOLDER = "e30="
"""The value of every key of a Secret: ``{}``, which types of Secrets that contain JSON accept as well."""

# Several at a time, each with a connection of its own. The API server's fair queuing limits a user to about as many.
_CONNECTIONS = 8
# The rows of a table have the metadata of the objects, and columns with their type and number of keys, but no values.
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
# Records of what has happened, heartbeats, requests, and what is about the API server: the twin makes its own.
_TRANSIENT = re.compile(
    r"(|events\.k8s\.io)/events|certificates\.k8s\.io/.*requests"
    r"|(coordination|internal\.apiserver|flowcontrol\.apiserver|storagemigration)\.k8s\.io/.*"
)
# The longest value of a label. A longer annotation may contain the object itself, as those of kubectl apply do.
_SHORT = re.compile(r"[\w./:@+ -]{0,63}", re.ASCII)
_FORBIDDEN = ""


class SnapshotError(Exception):
    """A file is not a snapshot."""


@dataclass(frozen=True)
class Snapshot:
    """The objects of a cluster at one time, with their status, owners and managed fields."""

    objects: tuple[Manifest, ...]
    """All objects that can be read, with their UIDs. A Secret has its keys with placeholders as values; no ``data`` if
    they are unknown."""

    version: str
    """The version of Kubernetes: ``v1.37.2``."""

    resources: Mapping[str, str]
    """The resource of each kind: ``apps/v1/Deployment`` → ``deployments``."""

    unread: Mapping[str, str] = field(default_factory=dict)
    """The resources that could not be read: the error; empty if the user has no permission."""

    @property
    def secret_keys_known(self) -> bool:
        """Whether the user may read the names and keys of Secrets."""
        return "secrets" not in self.unread

    @property
    def unread_kinds(self) -> frozenset[str]:
        """The kinds of which objects could not be read."""
        return frozenset(
            path.rpartition("/")[2]
            for path, name in self.resources.items()
            if _qualified(path.rpartition("/")[0], name) in self.unread
        )

    def of_kind(self, kind: str) -> list[Manifest]:
        """All objects of a kind."""
        return [one for one in self.objects if one["kind"] == kind]

    @property
    def notes(self) -> tuple[Message, ...]:
        """What could not be read."""
        return tuple(self._notes())

    def _notes(self) -> Iterator[Message]:
        errors: dict[str, list[str]] = {}
        for resource, error in sorted(self.unread.items()):
            reason = messages.UNANSWERED(error=error) if error else messages.FORBIDDEN()
            if resource == "secrets":
                yield twin_messages.SECRETS_NOT_COPIED(reason=reason)
            elif resource == "nodes":
                yield twin_messages.NODES_NOT_COPIED(reason=reason)
            else:
                errors.setdefault(error, []).append(resource)
        for error, resources in errors.items():
            reason = messages.UNANSWERED(error=error) if error else messages.FORBIDDEN()
            yield twin_messages.KINDS_NOT_COPIED(kinds=", ".join(resources), reason=reason)
        unknown = [target(one) for one in self.of_kind("Secret") if "data" not in one]
        if unknown:
            yield twin_messages.SECRET_KEYS_NOT_COPIED(secrets=", ".join(unknown))


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Run a block that creates the objects of a large cluster. The collector would traverse them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@without_garbage_collection()
def take(cluster: Cluster) -> Snapshot:
    """Read all objects of a cluster. Raises UnansweredError if it does not answer."""
    with reader(cluster) as source:
        version = str(source.get("/version")["gitVersion"])
        resources = _resources(source)
        with ThreadPoolExecutor(_CONNECTIONS) as threads:
            read_all = list(threads.map(lambda resource: _read(source, resource), resources))
    objects: list[Manifest] = []
    unread: dict[str, str] = {}
    for resource, found in zip(resources, read_all, strict=True):
        if isinstance(found, ClusterError):
            unread[_name(resource)] = _FORBIDDEN if isinstance(found, ForbiddenError) else str(found)
        else:
            objects += found
    kinds = {f"{resource.version}/{resource.kind}": resource.name for resource in resources}
    return Snapshot(tuple(objects), version, kinds, unread)


def _resources(source: Reader) -> list[Resource]:
    """The resources to read, each in the preferred version that serves it."""
    found: dict[str, Resource] = {}
    for path in ("/api", "/apis"):
        for resource in discovered(source.get(path, DISCOVERY)):
            found.setdefault(_name(resource), resource)
    others = _groups_of_other_servers(source)
    return [
        resource
        for name, resource in found.items()
        # What can be listed but not created, such as a metric, is calculated when it is read.
        if {"list", "create"} <= resource.verbs
        and not _TRANSIENT.fullmatch(f"{_group(resource)}/{resource.name}")
        and _group(resource) not in others
    ]


def _groups_of_other_servers(source: Reader) -> set[str]:
    """The API groups that aggregated API servers serve. Their objects are not in the API server's storage."""
    try:
        items = [one for page in source.pages("/apis/apiregistration.k8s.io/v1/apiservices") for one in page["items"]]
    except ClusterError:
        return set()
    return {one["spec"]["group"] for one in items if one["spec"].get("service")}


def _group(resource: Resource) -> str:
    return resource.version.rpartition("/")[0]


def _name(resource: Resource) -> str:
    """A resource as RBAC names it: ``pods``, ``deployments.apps``."""
    return _qualified(resource.version, resource.name)


def _qualified(version: str, name: str) -> str:
    group = version.rpartition("/")[0]
    return f"{name}.{group}" if group else name


def _read(source: Reader, resource: Resource) -> list[Manifest] | ClusterError:
    """All objects of a resource, or the error."""
    try:
        if _name(resource) == "secrets":
            return [_secret(table, row) for table in source.pages(resource.path(), _TABLE) for row in table["rows"]]
        kind = {"apiVersion": resource.version, "kind": resource.kind}
        return [{**kind, **item} for page in source.pages(resource.path()) for item in page["items"]]
    except NotServedError:  # its definition was deleted meanwhile
        return []
    except (ForbiddenError, UnansweredError) as error:
        return error


def _secret(table: Manifest, row: Manifest) -> Manifest:
    """A Secret by the row of a table. Its managed fields list the keys; they are unknown if one is missing there."""
    columns = {column["name"]: cell for column, cell in zip(table["columnDefinitions"], row["cells"], strict=True)}
    metadata = dict(row["object"]["metadata"])
    annotations = metadata.get("annotations") or {}
    metadata["annotations"] = {key: value for key, value in annotations.items() if _SHORT.fullmatch(value)}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": columns["Type"]}
    keys = {
        key.removeprefix("f:")
        for entry in metadata.get("managedFields") or []
        for part in ("f:data", "f:stringData")
        for key in entry.get("fieldsV1", {}).get(part, {})
        if key.startswith("f:")
    }
    return {**secret, "data": dict.fromkeys(sorted(keys), PLACEHOLDER)} if len(keys) == columns["Data"] else secret


_SNAPSHOT = TypeAdapter(Snapshot)


@without_garbage_collection()
def read(file: Path) -> Snapshot:
    """A snapshot that was written to a file. Raises SnapshotError if it is invalid."""
    try:
        return _SNAPSHOT.validate_json(gzip.decompress(file.read_bytes()))
    except (OSError, EOFError, ValidationError) as error:
        details = "" if isinstance(error, ValidationError) else f": {error}"
        raise SnapshotError(f"{file}: must be a file that `python -m review snapshot` has written{details}") from None


def write(snapshot: Snapshot, file: Path) -> None:
    """Write a snapshot to a file that only its owner can read."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    content: dict[str, Any] = asdict(snapshot)
    file.write_bytes(gzip.compress(json.dumps(content).encode(), compresslevel=1))
