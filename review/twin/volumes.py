"""Provisions volumes on a twin, in place of the drivers of the cluster: claims are bound as their class would.

The controllers of Kubernetes bind a claim to a volume, and the scheduler chooses a node for a claim that waits for its
first consumer. Creating and deleting the volume is up to a driver.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from components.base.objects import Manifest
from review.twin.client import ApiError, Client, Watch

_SELECTED_NODE = "volume.kubernetes.io/selected-node"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_NO_PROVISIONER = "kubernetes.io/no-provisioner"
_NODE = {"apiVersion": "v1", "kind": "Node"}
_CLASS = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}


@contextmanager
def provisioner(client: Client, volumes: Iterable[Manifest]) -> Iterator[None]:
    """Create volumes for claims, and delete released ones. ``volumes`` are those of the cluster."""
    topologies = _topologies(volumes)
    handlers: dict[str, Callable[[Manifest], None]] = {
        "PersistentVolumeClaim": lambda claim: _provide(client, claim, topologies),
        "PersistentVolume": lambda volume: _release(client, volume),
    }
    watches: list[Watch] = []
    threads = []
    for kind, handle in handlers.items():
        existing, since = client.list("v1", kind)
        for one in existing:
            handle(one)
        watches.append(client.watch("v1", kind, since))
        threads.append(threading.Thread(target=_follow, args=(watches[-1], handle), daemon=True))
        threads[-1].start()
    try:
        yield
    finally:
        for watch in watches:
            watch.stop()
        for thread in threads:
            thread.join()


def _follow(watch: Watch, handle: Callable[[Manifest], None]) -> None:
    for change, manifest in watch:
        if change in {"ADDED", "MODIFIED"}:
            handle(manifest)


def _provide(client: Client, claim: Manifest, topologies: dict[str, set[str]]) -> None:
    """Create the volume of a claim, if it waits for one."""
    spec, metadata = claim["spec"], claim["metadata"]
    if spec.get("volumeName") or "deletionTimestamp" in metadata or not spec.get("storageClassName"):
        return
    storage_class = client.get({**_CLASS, "metadata": {"name": spec["storageClassName"]}})
    node_name = (metadata.get("annotations") or {}).get(_SELECTED_NODE, "")
    if storage_class is None or storage_class["provisioner"] == _NO_PROVISIONER:
        return
    if storage_class.get("volumeBindingMode") == "WaitForFirstConsumer" and not node_name:
        return
    node = client.get({**_NODE, "metadata": {"name": node_name}}) if node_name else None
    # It may exist because of an earlier change of the claim. If it is denied, the claim stays Pending.
    with suppress(ApiError):
        client.create(_volume(claim, storage_class, _affinity(node, topologies.get(spec["storageClassName"], set()))))


def _volume(claim: Manifest, storage_class: Manifest, affinity: Manifest) -> Manifest:
    spec, metadata, driver = claim["spec"], claim["metadata"], storage_class["provisioner"]
    name = f"pvc-{metadata['uid']}"
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    reference |= {key: metadata[key] for key in ("name", "namespace", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {_PROVISIONED_BY: driver}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            "storageClassName": spec["storageClassName"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "claimRef": reference,
            # The provisioner of a driver that is not a CSI driver has a name with a slash.
            **(
                {"hostPath": {"path": f"/{name}"}}
                if "/" in driver
                else {"csi": {"driver": driver, "volumeHandle": name}}
            ),
            **affinity,
        },
    }


def _topologies(volumes: Iterable[Manifest]) -> dict[str, set[str]]:
    """Storage class → the node labels to which its volumes are bound, such as the zone. None for a network volume."""
    found: dict[str, set[str]] = {}
    for volume in volumes:
        required = (volume["spec"].get("nodeAffinity") or {}).get("required") or {}
        for term in required.get("nodeSelectorTerms") or []:
            keys = {one["key"] for one in term.get("matchExpressions") or []}
            found.setdefault(volume["spec"].get("storageClassName", ""), set()).update(keys)
    return found


def _affinity(node: Manifest | None, keys: set[str]) -> Manifest:
    """The node affinity of a new volume: the node on which its first consumer is scheduled."""
    labels = (node["metadata"].get("labels") or {}) if node else {}
    expressions = [{"key": key, "operator": "In", "values": [labels[key]]} for key in sorted(keys & labels.keys())]
    return (
        {"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": expressions}]}}}
        if expressions
        else {}
    )


def _release(client: Client, volume: Manifest) -> None:
    """Delete a volume whose claim is gone, if its class does so."""
    spec, status = volume["spec"], volume.get("status") or {}
    is_released = status.get("phase") == "Released" and "deletionTimestamp" not in volume["metadata"]
    if is_released and spec.get("persistentVolumeReclaimPolicy") == "Delete":
        with suppress(ApiError):
            client.delete(volume)
