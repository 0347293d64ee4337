"""The objects of a snapshot as a twin has them: what needs servers that do not run there is left out."""

import re
from collections.abc import Iterator, Sequence

from components.base.objects import Manifest, target
from review import twin_messages as messages
from review.messages import Message
from review.twin.owners import condition
from review.twin.snapshot import Snapshot
from sandbox.layout import KUBERNETES_VERSION

HELD = "twin.ml-platform/held"
"""The annotation of pods that were not ready on their node. They stay so, whatever their reason was."""

# What other servers do, the twin cannot: its API server would fail to call them.
_CALLS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_NOT_RESTORED = (*_CALLS, "APIService")
# The finalizers of Kubernetes' own controllers.
_FINALIZERS = re.compile(
    r"kubernetes|orphan|foregroundDeletion|kubernetes\.io/(pvc|pv|vac)-protection|resource\.kubernetes\.io/.*"
    r"|batch\.kubernetes\.io/job-tracking|networking\.k8s\.io/service-cidr-finalizer"
    r"|customresourcecleanup\.apiextensions\.k8s\.io"
)
_PRERELEASE = re.compile(r"(.*[.]k8s[.]io|[a-z]+)/v[0-9]+(alpha|beta)[0-9]+")
FAKE_NODE = "kwok.x-k8s.io/node"
"""The annotation of nodes that kwok manages."""


def restorable(snapshot: Snapshot) -> tuple[list[Manifest], list[Message]]:
    """The objects of a snapshot as the twin has them, and how they differ from those of the cluster."""
    same_version = minor(snapshot.version) == minor(KUBERNETES_VERSION)
    custom = {crd["spec"]["group"] for crd in snapshot.of_kind("CustomResourceDefinition")}
    objects, prerelease = [], set()
    for one in snapshot.objects:
        if one["kind"] in _NOT_RESTORED:
            continue
        group = one["apiVersion"].rpartition("/")[0]
        if not same_version and group not in custom and _PRERELEASE.fullmatch(one["apiVersion"]):
            prerelease.add(one["kind"])
            continue
        objects.append(one)
    uids = {one["metadata"]["uid"] for one in objects}
    return [_restored(one, uids) for one in objects], [*_notes(snapshot, sorted(prerelease))]


def minor(version: str) -> str:
    """The minor version: ``1.37`` of ``v1.37.2-gke.100``."""
    match = re.match(r"v?([0-9]+\.[0-9]+)", version)
    return match[1] if match else version


def _restored(manifest: Manifest, uids: set[str]) -> Manifest:
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "resourceVersion"}
    # The garbage collector would delete what an object owned that could not be read.
    references = [one for one in metadata.pop("ownerReferences", []) if one["uid"] in uids]
    # An object whose deletion is waiting for a finalizer goes on waiting.
    if "deletionTimestamp" not in metadata:
        finalizers = [one for one in metadata.pop("finalizers", []) if _FINALIZERS.fullmatch(one)]
        metadata |= {"finalizers": finalizers} if finalizers else {}
    metadata |= {"ownerReferences": references} if references else {}
    annotation = _annotation(manifest)
    if annotation:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), annotation: "fake"}
    restored = {**manifest, "metadata": metadata}
    if manifest["kind"] == "CustomResourceDefinition":
        # Without the webhook, only the API version of an object is changed.
        restored["spec"] = {**manifest["spec"], "conversion": {"strategy": "None"}}
    return restored


def _annotation(manifest: Manifest) -> str:
    """The annotation for kwok: it keeps only nodes ready that were, and makes only new pods ready."""
    if manifest["kind"] == "Node" and condition(manifest, "Ready").get("status") == "True":
        return FAKE_NODE
    if manifest["kind"] == "Pod" and manifest["spec"].get("nodeName"):
        return HELD if (manifest.get("status") or {}).get("phase") == "Pending" else ""
    return ""


def _notes(snapshot: Snapshot, prerelease: Sequence[str]) -> Iterator[Message]:
    if minor(snapshot.version) != minor(KUBERNETES_VERSION):
        yield messages.VERSION_DIFFERS(version=snapshot.version, twin=f"v{KUBERNETES_VERSION}")
    if prerelease:
        yield messages.KINDS_NOT_COPIED(kinds=", ".join(prerelease), reason=messages.PRERELEASE_VERSION())
    webhooks = [text for kind in _CALLS for one in snapshot.of_kind(kind) for text in _webhooks(one)]
    if webhooks:
        yield messages.WEBHOOKS_NOT_CALLED(webhooks="; ".join(sorted(webhooks)))
    converted = [
        one["spec"]["names"]["kind"]
        for one in snapshot.of_kind("CustomResourceDefinition")
        if (one["spec"].get("conversion") or {}).get("strategy") == "Webhook"
    ]
    if converted:
        yield messages.CONVERSION_NOT_CALLED(kinds=", ".join(sorted(converted)))
    finalizers = {
        finalizer
        for one in snapshot.objects
        for finalizer in one["metadata"].get("finalizers") or []
        if not _FINALIZERS.fullmatch(finalizer)
    }
    if finalizers:
        yield messages.FINALIZERS_NOT_COPIED(finalizers=", ".join(sorted(finalizers)))
    terminating = [target(one) for one in snapshot.of_kind("Namespace") if "deletionTimestamp" in one["metadata"]]
    if terminating:
        yield messages.NAMESPACES_TERMINATING(namespaces=", ".join(terminating))


def _webhooks(configuration: Manifest) -> Iterator[str]:
    """The webhooks of a configuration with the resources that they are called for."""
    for webhook in configuration.get("webhooks") or []:
        resources = [name for rule in webhook.get("rules") or [] for name in rule.get("resources") or []]
        yield f"{webhook['name']} ({', '.join(dict.fromkeys(resources))})"
