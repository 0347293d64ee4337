"""What the cluster itself says of a change: asked with dry runs and reads only, nothing is changed.

A preview never gets to hear it: quota and Pod Security rule Pods, which controllers make later, and
what a Pod refers to is looked for when it starts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from components.base.objects import WORKLOADS, Manifest, UnknownValueError, containers, namespace, pod_templates, target
from review.admission import altered
from review.cluster.kubectl import Cluster, ForbiddenError, UnansweredError
from review.pods import made_by
from review.preview import Preview, Step, known
from review.symptoms import recognized

_VERBS = {"create": ("create", "patch"), "update": ("patch",), "delete": ("delete",), "replace": ("create", "delete")}


@dataclass
class Checks:
    """What the cluster adds to a review."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    others: list[Manifest] = field(default_factory=list)
    """Pods in the stack's namespaces that are not the stack's, and yet use its quotas."""


def not_asked(why: str = "") -> Checks:
    """What is said where no cluster was asked."""
    told = "the cluster: it was not asked what it would refuse, and what is there by now"
    return Checks(notes=[f"{told}: {why}" if why else told])


@contextmanager
def _asking(checks: Checks, what: str) -> Iterator[None]:
    """A question to the cluster; that it has no answer is noted, and is neither a yes nor a no."""
    try:
        yield
    except UnansweredError as error:
        note = f"{what}: the cluster gave no answer: {error}"
        if note not in checks.notes:
            checks.notes.append(note)


def check(preview: Preview, cluster: Cluster) -> Checks:
    """Ask the cluster about all that would be changed."""
    checks = Checks()
    after = preview.manifests(after=True)
    changed = [known(step.after) for step in preview.steps if step.changes and step.after is not None]
    _now(preview.steps, cluster, checks)
    _kinds(changed, after, cluster, checks)
    _rights(preview.steps, cluster, checks)
    for manifest in changed:
        if manifest["kind"] in WORKLOADS:
            try:
                _workload(manifest, preview.steps, after, cluster, checks)
            except UnknownValueError:
                checks.notes.append(f"{target(manifest)} against the cluster: values of it are known after up")
    _others(changed, preview, cluster, checks)
    return checks


def seen(preview: Preview, cluster: Cluster) -> Preview:
    """The preview with objects as they are now, where something happens to them: not as Pulumi saw them last."""
    steps = []
    for step in preview.steps:
        try:
            live = _live(step, cluster)
        except UnansweredError:  # noted when it is checked
            live = None
        steps.append(replace(step, live=live or step.live))
    return replace(preview, steps=tuple(steps))


def _live(step: Step, cluster: Cluster) -> Manifest | None:
    """The object of a step that changes it, as it is now; None where it is not there, or may not be read."""
    if not step.changes or step.before is None:
        return None
    metadata = step.before.get("metadata") or {}
    try:
        found: Manifest | None = cluster.get(
            step.before["kind"], metadata.get("name", ""), metadata.get("namespace", "")
        )
    except ForbiddenError:
        return None
    return found


def _now(steps: Iterable[Step], cluster: Cluster, checks: Checks) -> None:
    for step in steps:
        with _asking(checks, f"{target(known(step.manifest))} as it is now, not as Pulumi saw it last"):
            _live(step, cluster)


def _kinds(changed: Iterable[Manifest], after: Sequence[Manifest], cluster: Cluster, checks: Checks) -> None:
    made = {
        (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"])
        for crd in after
        if crd["kind"] == "CustomResourceDefinition"
        for version in crd["spec"]["versions"]
    }
    for version, kind in sorted({(manifest["apiVersion"], manifest["kind"]) for manifest in changed} - made):
        with _asking(checks, f"whether the cluster knows {kind} of {version}"):
            if kind not in (cluster.kinds(version) or {}):
                checks.problems.append(f"the cluster does not know {kind} of {version}: install what brings it first")


def _rights(steps: Iterable[Step], cluster: Cluster, checks: Checks) -> None:
    asked: dict[tuple[str, ...], dict[str, str]] = {}
    for step in steps:
        if not step.changes:
            continue
        version, kind = step.manifest["apiVersion"], step.manifest["kind"]
        resource, namespaced = "", False
        with _asking(checks, f"the rights to change {kind} of {version}"):
            resource, namespaced = (cluster.kinds(version) or {}).get(kind, ("", False))
        metadata = known(step.manifest.get("metadata") or {})
        place = metadata.get("namespace") if namespaced else ""
        for verb in _VERBS.get(step.op, ()) if resource and isinstance(place, str) else ():
            group = version.rpartition("/")[0]
            asked[verb, group, resource, place] = {
                "verb": verb, "group": group, "resource": resource, "namespace": place,
            }  # fmt: skip
    denied: list[Mapping[str, str]] = []
    with _asking(checks, "the rights of whoever deploys"):
        denied = cluster.denied(list(asked.values()))
    if denied and len(denied) == len(asked):
        checks.notes.append("the rights of whoever deploys: this user may change nothing of this, and so is another")
        return
    for right in denied:
        where = f" in {right['namespace']}" if right.get("namespace") else ""
        checks.problems.append(f"whoever runs this may not {right['verb']} {right['resource']}{where}")


def _workload(
    manifest: Manifest, steps: Sequence[Step], after: Sequence[Manifest], cluster: Cluster, checks: Checks
) -> None:
    place, name = namespace(manifest), target(manifest)
    mine = {(other["kind"], other["metadata"]["name"]) for other in after if _in(other, place)}
    there = None
    with _asking(checks, f"{name} against the cluster"):
        there = _there("namespace", place, "", cluster)
        if there is False and ("Namespace", place) in mine:
            checks.notes.append(f"{name} against the cluster: its namespace is made with it")
        elif there is False:
            checks.problems.append(f"{name} is in the namespace {place}, which does not exist")
    if there is False:
        return
    for template in pod_templates(manifest):
        with _asking(checks, f"whether pods of {name} would be admitted"):
            said = cluster.dry_run(_shadow(template, place, mine))
            if said is not None:
                _refused(name, place, said, steps, checks)
        for kind, wanted, of in _references(template["spec"]):
            if (kind, wanted) in mine:
                continue
            with _asking(checks, f"whether {kind} {wanted} of {name} exists"):
                found = _there(kind, wanted, "" if kind in _OF_THE_CLUSTER else place, cluster)
                if found is None:
                    checks.notes.append(f"whether {kind} {wanted} of {name} exists: this user may not read it")
                elif not found:
                    checks.problems.append(
                        f"{name}: {of} {kind} {wanted}, which does not exist: its pods would wait for it"
                    )
        _nodes(name, template["spec"], cluster, checks)


def _there(kind: str, name: str, place: str, cluster: Cluster) -> bool | None:
    """Whether an object exists; None where this user may not know."""
    try:
        return cluster.get(kind, name, place) is not None
    except ForbiddenError:
        return None


def _refused(name: str, place: str, said: str, steps: Sequence[Step], checks: Checks) -> None:
    """What a refusal of a workload's pods means for the change."""
    if "exceeded quota" in said:  # the pods that it replaces count there: see the quotas
        return
    deciding = altered(said, place, steps)
    if "cannot create resource" in said:
        checks.notes.append(f"whether pods of {name} would be admitted: this user may not try")
    elif deciding:
        checks.notes.append(
            f"whether pods of {name} would be admitted: they are not as long as {deciding} is as it is, "
            f"which this change alters ({_meaning(said)})"
        )
    else:
        checks.problems.append(f"{name}: its pods would be refused: {_meaning(said)}")


def _in(manifest: Manifest, place: str) -> bool:
    """Whether an object is in a namespace, is the namespace, or is in none."""
    return namespace(manifest) == place or "namespace" not in manifest["metadata"]


def _shadow(template: Manifest, place: str, mine: set[tuple[str, str]]) -> Manifest:
    """A pod as the workload would make it; what the same change makes is left out, since it is not there yet."""
    spec = dict(template["spec"])
    if ("ServiceAccount", spec.get("serviceAccountName", "")) in mine:
        del spec["serviceAccountName"]
    if ("PriorityClass", spec.get("priorityClassName", "")) in mine:
        del spec["priorityClassName"]
    metadata = template.get("metadata") or {}
    kept = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**kept, "generateName": "review-", "namespace": place},
        "spec": {"restartPolicy": "Always", **spec},
    }


def _meaning(said: str) -> str:
    """What the API server said, in the words that explain uses."""
    said = said.removeprefix("Error from server (Forbidden): ").removeprefix("Error from server ")
    return "; ".join(recognized("FailedCreate", said) or (said,))


_OF_THE_CLUSTER = {"StorageClass"}


def _references(spec: Manifest) -> Iterable[tuple[str, str, str]]:
    """What a pod refers to and needs: kind, name, and how it is used."""
    found: dict[tuple[str, str, str], None] = {}
    for secret in spec.get("imagePullSecrets") or []:
        found["Secret", secret["name"], "it pulls its image with"] = None
    for volume in spec.get("volumes") or []:
        if volume.get("persistentVolumeClaim"):
            found["PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"], "it mounts"] = None
        for key, kind, name in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
            if volume.get(key) and not volume[key].get("optional"):
                found[kind, volume[key][name], "it mounts"] = None
        claim = ((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec") or {}
        if claim.get("storageClassName"):
            found["StorageClass", claim["storageClassName"], "it asks for a volume of"] = None
    for container in containers(spec):
        for variable in container.get("env") or []:
            for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                reference = (variable.get("valueFrom") or {}).get(key)
                if reference and not reference.get("optional"):
                    found[kind, reference["name"], f"{variable['name']} is taken from"] = None
    return list(found)


def _nodes(name: str, spec: Manifest, cluster: Cluster, checks: Checks) -> None:
    """Whether any node would do. None may only mean that the pool is scaled to zero."""
    selector = spec.get("nodeSelector") or {}
    if not selector:
        return
    with _asking(checks, f"the nodes of {name}"):
        try:
            nodes = cluster.get("nodes")["items"]
        except ForbiddenError:
            checks.notes.append(f"the nodes of {name}: this user may not list nodes")
        else:
            _selected(name, selector, spec.get("tolerations") or [], nodes, checks)


def _selected(
    name: str, selector: Manifest, tolerations: Sequence[Manifest], nodes: Iterable[Mapping[str, Any]], checks: Checks
) -> None:
    labelled = [node for node in nodes if selector.items() <= (node["metadata"].get("labels") or {}).items()]
    told = ", ".join(f"{key}={value}" for key, value in selector.items())
    if not labelled:
        checks.warnings.append(
            f"{name}: no node has {told}: fine where the pool scales from zero, else its pods never start"
        )
    elif not any(_tolerated(node, tolerations) for node in labelled):
        checks.warnings.append(f"{name}: all nodes with {told} have a taint that it does not tolerate")


def _tolerated(node: Mapping[str, Any], tolerations: Sequence[Manifest]) -> bool:
    taints = [taint for taint in node["spec"].get("taints") or [] if taint["effect"] in {"NoSchedule", "NoExecute"}]
    return all(any(_tolerates(toleration, taint) for toleration in tolerations) for taint in taints)


def _tolerates(toleration: Manifest, taint: Manifest) -> bool:
    if toleration.get("effect") not in (None, taint["effect"]):
        return False
    if toleration.get("key") not in (None, taint["key"]):
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")


def _others(changed: Iterable[Manifest], preview: Preview, cluster: Cluster, checks: Checks) -> None:
    """Pods that are not the stack's, in namespaces that change and have a quota of the stack's."""
    before, after = preview.manifests(after=False), preview.manifests(after=True)
    touched = {_place(manifest) for manifest in changed}
    limited = {_place(quota) for quota in after if quota["kind"] == "ResourceQuota"}
    for place in sorted(place for place in touched & limited if place is not None):
        # What the stack has, and what it would have, is counted already.
        own = [manifest for manifest in (*before, *after) if _place(manifest) == place]
        with _asking(checks, f"pods in {place} that are not the stack's"):
            try:
                pods = (cluster.get("pods", place=place) or {"items": []})["items"]
            except ForbiddenError:
                checks.notes.append(f"pods in {place} that are not the stack's: this user may not list them")
                continue
            for pod in pods:
                ended = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
                if not ended and not made_by(pod, own):
                    checks.others.append(pod)


def _place(manifest: Manifest) -> str | None:
    """The namespace of an object; None where it is not known yet."""
    try:
        return namespace(manifest)
    except UnknownValueError:
        return None
