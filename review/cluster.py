"""What the cluster itself says of a change: asked with dry runs and reads only, nothing is changed.

A preview never gets to hear it: quota and Pod Security rule Pods, which controllers make later, and
what a Pod refers to is looked for when it starts.
"""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from policies.rule import WORKLOADS, UnknownValueError, containers, namespace, pod_templates, target
from review.preview import Manifest, Preview, Step, known
from review.symptoms import SYMPTOMS

_TIMEOUT = 60
_VERBS = {"create": ("create", "patch"), "update": ("patch",), "delete": ("delete",), "replace": ("create", "delete")}


@dataclass
class Checks:
    """What the cluster adds to a review."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    others: list[Manifest] = field(default_factory=list)
    """Pods in the stack's namespaces that are not the stack's, and yet use its quotas."""


class Cluster:
    """The cluster that the stack's provider would talk to."""

    def __init__(self, context: str | None = None) -> None:
        self._flags = ["--context", context] if context else []
        self._groups: dict[str, dict[str, tuple[str, bool]] | None] = {}

    def reachable(self) -> bool:
        """Whether its API server answers."""
        return self._run("get", "--raw", "/readyz", "--request-timeout=5s").returncode == 0

    def kinds(self, version: str) -> dict[str, tuple[str, bool]] | None:
        """The kinds of an API version: kind → name of the resource, whether it lives in a namespace; None: no such."""
        if version not in self._groups:
            done = self._run("get", "--raw", f"/apis/{version}" if "/" in version else f"/api/{version}")
            resources = json.loads(done.stdout)["resources"] if done.returncode == 0 else None
            self._groups[version] = (
                None
                if resources is None
                else {
                    resource["kind"]: (resource["name"], resource["namespaced"])
                    for resource in resources
                    if "/" not in resource["name"]
                }
            )
        return self._groups[version]

    def get(self, kind: str, name: str = "", place: str = "") -> Any:
        """An object, or all of a kind; None where there is none. Raises Forbidden where that may not be known."""
        where = ["--namespace", place] if place else []
        done = self._run("get", kind, *([name] if name else []), *where, "--output", "json")
        if done.returncode == 0:
            return json.loads(done.stdout)
        if "(Forbidden)" in done.stderr:
            raise ForbiddenError(done.stderr.strip())
        return None

    def dry_run(self, manifest: Manifest) -> str | None:
        """Why the API server would not take an object; None where it would."""
        done = self._run("create", "--dry-run=server", "--output", "name", "-f", "-", stdin=json.dumps(manifest))
        return None if done.returncode == 0 else done.stderr.strip()

    def denied(self, asked: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
        """Those of some rights (verb, group, resource, namespace) that this user lacks."""
        reviews = [
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            }
            for attributes in asked
        ]
        many = {"apiVersion": "v1", "kind": "List", "items": reviews}
        done = self._run("create", "--output", "json", "-f", "-", stdin=json.dumps(many))
        if done.returncode != 0 or not asked:
            return []
        return [
            one["spec"]["resourceAttributes"] for one in _documents(done.stdout) if not one["status"].get("allowed")
        ]

    def _run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = ["kubectl", *self._flags, *arguments]
        try:
            return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 1, "", str(error))


def _documents(text: str) -> Iterable[Any]:
    """JSON documents one after the other, as kubectl prints what it creates."""
    decoder, start = json.JSONDecoder(), 0
    while start < len(text.rstrip()):
        document, start = decoder.raw_decode(text, start)
        yield document
        start += len(text[start:]) - len(text[start:].lstrip())


class ForbiddenError(Exception):
    """This user may not read that."""


def check(preview: Preview, cluster: Cluster) -> Checks:
    """Ask the cluster about all that would be changed."""
    checks = Checks()
    after = preview.manifests(after=True)
    changed = [known(step.after) for step in preview.steps if step.changes and step.after is not None]
    _kinds(changed, after, cluster, checks)
    _rights(preview.steps, cluster, checks)
    for manifest in changed:
        if manifest["kind"] in WORKLOADS:
            try:
                _workload(manifest, after, cluster, checks)
            except UnknownValueError:
                checks.notes.append(f"{target(manifest)} against the cluster: values of it are known after up")
    _others(after, cluster, checks)
    return checks


def seen(preview: Preview, cluster: Cluster) -> Preview:
    """The preview with objects as they are now, where something happens to them: not as Pulumi saw them last."""
    steps = []
    for step in preview.steps:
        if step.changes and step.before is not None:
            metadata = step.before.get("metadata") or {}
            try:
                live = cluster.get(step.before["kind"], metadata.get("name", ""), metadata.get("namespace", ""))
            except ForbiddenError:
                live = None
            steps.append(replace(step, live=live or step.live))
        else:
            steps.append(step)
    return replace(preview, steps=tuple(steps))


def _kinds(changed: Iterable[Manifest], after: Sequence[Manifest], cluster: Cluster, checks: Checks) -> None:
    made = {
        (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"])
        for crd in after
        if crd["kind"] == "CustomResourceDefinition"
        for version in crd["spec"]["versions"]
    }
    for version, kind in sorted({(manifest["apiVersion"], manifest["kind"]) for manifest in changed} - made):
        if kind not in (cluster.kinds(version) or {}):
            checks.problems.append(f"the cluster does not know {kind} of {version}: install what brings it first")


def _rights(steps: Iterable[Step], cluster: Cluster, checks: Checks) -> None:
    asked: dict[tuple[str, ...], dict[str, str]] = {}
    for step in steps:
        if not step.changes:
            continue
        version, kind = step.manifest["apiVersion"], step.manifest["kind"]
        resource, namespaced = (cluster.kinds(version) or {}).get(kind, ("", False))
        metadata = known(step.manifest.get("metadata") or {})
        place = metadata.get("namespace") if namespaced else ""
        for verb in _VERBS.get(step.op, ()) if resource and isinstance(place, str) else ():
            group = version.rpartition("/")[0]
            asked[verb, group, resource, place] = {
                "verb": verb, "group": group, "resource": resource, "namespace": place,
            }  # fmt: skip
    for right in cluster.denied(list(asked.values())):
        where = f" in {right['namespace']}" if right.get("namespace") else ""
        checks.problems.append(f"whoever runs this may not {right['verb']} {right['resource']}{where}")


def _workload(manifest: Manifest, after: Sequence[Manifest], cluster: Cluster, checks: Checks) -> None:
    place, name = namespace(manifest), target(manifest)
    mine = {(other["kind"], other["metadata"]["name"]) for other in after if _in(other, place)}
    if cluster.get("namespace", place) is None:
        if ("Namespace", place) in mine:
            checks.notes.append(f"{name} against the cluster: its namespace is made with it")
        else:
            checks.problems.append(f"{name} is in the namespace {place}, which does not exist")
        return
    for template in pod_templates(manifest):
        said = cluster.dry_run(_shadow(template, place, mine))
        if said is not None and "exceeded quota" not in said:  # the pods that it replaces count there: see the quotas
            checks.problems.append(f"{name}: its pods would be refused: {_meaning(said)}")
        for kind, wanted, of in _references(template["spec"]):
            if (kind, wanted) in mine:
                continue
            try:
                if cluster.get(kind, wanted, "" if kind in _OF_THE_CLUSTER else place) is None:
                    checks.problems.append(
                        f"{name}: {of} {kind} {wanted}, which does not exist: its pods would wait for it"
                    )
            except ForbiddenError:
                checks.notes.append(f"whether {kind} {wanted} of {name} exists: this user may not read it")
        _nodes(name, template["spec"], cluster, checks)


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
    for symptom in SYMPTOMS:
        match = symptom.pattern.search(said) if "FailedCreate" in symptom.reasons else None
        if match is not None:
            groups = {key: text or "" for key, text in match.groupdict().items()}
            return f"{symptom.what.format(**groups)}; {symptom.mend.format(**groups)}"
    return said


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
    try:
        nodes = cluster.get("nodes")["items"]
    except ForbiddenError:
        checks.notes.append(f"the nodes of {name}: this user may not list nodes")
        return
    labelled = [node for node in nodes if selector.items() <= (node["metadata"].get("labels") or {}).items()]
    told = ", ".join(f"{key}={value}" for key, value in selector.items())
    if not labelled:
        checks.warnings.append(
            f"{name}: no node has {told}: fine where the pool scales from zero, else its pods never start"
        )
    elif not any(_tolerated(node, spec.get("tolerations") or []) for node in labelled):
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


def _others(after: Sequence[Manifest], cluster: Cluster, checks: Checks) -> None:
    """Pods that are not the stack's, in namespaces with a quota of the stack's."""
    for place in sorted({namespace(quota) for quota in after if quota["kind"] == "ResourceQuota"}):
        try:
            pods = (cluster.get("pods", place=place) or {"items": []})["items"]
        except ForbiddenError:
            checks.notes.append(f"pods in {place} that are not the stack's: this user may not list them")
            continue
        for pod in pods:
            labels = pod["metadata"].get("labels") or {}
            ended = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
            if labels.get("app.kubernetes.io/managed-by") != "pulumi" and not ended:
                checks.others.append(pod)
