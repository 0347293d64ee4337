"""Writes objects to the etcd of a twin, before its API server starts.

Created through the API server, objects would get new UIDs, owners, statuses and timestamps, and admission would reject
those that today's rules no longer allow. In etcd they are what they were. The storage of the API server reads JSON of
any version that it serves.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import urllib3

from components.base.objects import Manifest
from sandbox.layout import SandboxError

# The prefixes that are compiled into Kubernetes (SpecialDefaultResourcePrefixes).
_PREFIXES = {
    "/replicationcontrollers": "controllers",
    "/endpoints": "services/endpoints",
    "/nodes": "minions",
    "/services": "services/specs",
    "networking.k8s.io/ingresses": "ingress",
}
# Groups of built-in kinds that the storage treats as custom resources.
_OWN_SERVERS = ("apiextensions.k8s.io", "apiregistration.k8s.io")
# Of one transaction.
_MAX_OBJECTS, _MAX_BYTES = 500, 2 << 20
_CONNECTIONS = 4
_TIMEOUT = 60.0

FLAGS = (
    "--max-txn-ops=1024",
    f"--max-request-bytes={16 << 20}",
    # A single server elects itself as soon as it has heard of no leader for this time.
    "--heartbeat-interval=10",
    "--election-timeout=100",
)
"""What etcd has to accept, and to start quickly."""


def key_of(manifest: Manifest, resource: str, custom: bool) -> str:
    """The key of an object in etcd."""
    metadata = manifest["metadata"]
    group = manifest["apiVersion"].rpartition("/")[0]
    by_group = custom or group in _OWN_SERVERS
    prefix = f"{group}/{resource}" if by_group else _PREFIXES.get(f"{group}/{resource}", resource)
    return "/".join(["/registry", prefix, *filter(None, [metadata.get("namespace")]), metadata["name"]])


def write(objects: Iterable[Manifest], resources: Mapping[str, str], etcd: "Etcd") -> None:
    """Write objects to etcd. ``resources`` has the resource of each kind, as that of a snapshot."""
    all_objects = list(objects)
    custom = {
        (one["spec"]["group"], one["spec"]["names"]["plural"])
        for one in all_objects
        if one["kind"] == "CustomResourceDefinition"
    }

    def entry(manifest: Manifest) -> tuple[str, bytes]:
        resource = resources[f"{manifest['apiVersion']}/{manifest['kind']}"]
        group = manifest["apiVersion"].rpartition("/")[0]
        return key_of(manifest, resource, (group, resource) in custom), json.dumps(manifest).encode()

    with ThreadPoolExecutor(_CONNECTIONS) as threads:
        list(threads.map(etcd.put, _batches(map(entry, all_objects))))


def _batches(entries: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == _MAX_OBJECTS or size + len(entry[1]) > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += len(entry[1])
    if batch:
        yield batch


class Etcd:
    """A client of the JSON API of etcd."""

    def __init__(self, url: str, authority: str, certificate: str, private_key: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(
            ca_certs=authority,
            cert_file=certificate,
            key_file=private_key,
            maxsize=_CONNECTIONS,
            timeout=_TIMEOUT,
            retries=False,
        )

    def put(self, entries: Iterable[tuple[str, bytes]]) -> None:
        """Write entries in one transaction. Raises SandboxError."""
        puts = [{"requestPut": {"key": _encoded(key.encode()), "value": _encoded(value)}} for key, value in entries]
        self._post("/v3/kv/txn", {"success": puts})

    def revision(self) -> int:
        """The current revision. Every write of any key increments it."""
        found = self._post("/v3/kv/range", {"key": _encoded(b"/"), "countOnly": True})
        return int(found["header"]["revision"])

    def changed(self, since: int) -> set[str]:
        """The keys that were written after a revision, and exist. etcd reads all keys to find them."""
        query = {
            "key": _encoded(b"/registry/"),
            "rangeEnd": _encoded(b"/registry0"),
            "keysOnly": True,
            "minModRevision": since + 1,
        }
        return {base64.b64decode(one["key"]).decode() for one in self._post("/v3/kv/range", query).get("kvs", [])}

    def _post(self, path: str, body: Manifest) -> Manifest:
        response = self._pool.request("POST", f"{self._url}{path}", body=json.dumps(body).encode())
        content: Manifest = json.loads(response.data)
        if response.status != 200:
            raise SandboxError(f"etcd: {content.get('message') or response.status}")
        return content


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()
