"""Runs a program under Pulumi's mocks, and records the resources that it registers."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc

from components.base.ownership import FIELD_MANAGER, OWNER


@dataclass(frozen=True)
class Registered:
    """One registered resource."""

    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    request: Any
    """The raw request, with the resource options."""


@dataclass
class Deployment:
    """The resources and outputs of a program."""

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    """Each component's outputs by its name."""

    exports: dict[str, Any] = field(default_factory=dict)
    """The stack's outputs."""

    def __getitem__(self, name: str) -> Registered:
        """The resource of this name that is not a component."""
        (found,) = [resource for resource in self.resources if resource.name == name and resource.request.custom]
        return found

    def children(self, component: str) -> dict[str, str]:
        """Name → type of a component's children."""
        parents = [r.name for r in self.resources if not r.request.custom]
        assert component in parents, f"{component} is not among the components {parents}"
        return {
            resource.name: resource.type
            for resource in self.resources
            if resource.parent.endswith(f"::{component}") and resource.request.custom
        }

    def names(self) -> list[str]:
        return [resource.name for resource in self.resources]


class _Cluster(mocks.Mocks):
    """Returns the outputs of a cluster: the object, a status, and an address for load balancers."""

    def __init__(self, *, is_known: bool) -> None:
        self._is_known = is_known

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if not self._is_known:
            return "", {}
        status: dict[str, Any] = {}
        if args.typ.endswith(":Service") and args.inputs["spec"].get("type") == "LoadBalancer":
            status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}
        metadata = {**args.inputs.get("metadata", {}), "uid": f"{args.name}-uid"}
        return f"{args.name}-id", {**args.inputs, "metadata": metadata, "status": status}

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(f"the components call no functions, but {args.token} was called")


class _Monitor(mocks.MockMonitor):
    """Records the raw requests, which contain options such as timeouts and dependencies."""

    def __init__(self, cluster: _Cluster, deployment: Deployment) -> None:
        super().__init__(cluster)
        self._deployment = deployment

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            inputs = _without_owner(rpc.deserialize_properties(request.object))
            resource = Registered(request.type, request.name, request.parent, inputs, request)
            self._deployment.resources.append(resource)
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self._deployment.outputs[request.urn.split("::")[-1]] = rpc.deserialize_properties(
            request.outputs, keep_unknowns=True
        )
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def _without_owner(inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs without the annotations of their owner, which every object has: see the raw request."""
    metadata = inputs.get("metadata")
    if not isinstance(metadata, dict) or OWNER not in metadata.get("annotations", {}):
        return inputs
    kept = {key: value for key, value in metadata["annotations"].items() if key not in {OWNER, FIELD_MANAGER}}
    others = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**inputs, "metadata": {**others, **({"annotations": kept} if kept else {})}}


def deploy(
    program: Callable[[], Any], *, preview: bool = False, stack: str = "test", config: Mapping[str, str] | None = None
) -> Deployment:
    """Run a program as ``up`` does. With ``preview``, the outputs of the cluster are unknown."""
    deployment = Deployment()
    cluster = _Cluster(is_known=not preview)
    monitor = _Monitor(cluster, deployment)
    pulumi.runtime.set_all_config(dict(config or {}))
    mocks.set_mocks(cluster, project="ml-platform", stack=stack, preview=preview, monitor=monitor)

    def program_and_exports() -> pulumi.Output[None]:
        exports = pulumi.runtime.get_root_resource().outputs  # type: ignore[union-attr]
        exports.clear()  # the stack is the same object for all programs of this process
        program()
        return pulumi.Output.from_input(exports).apply(deployment.exports.update)

    try:
        mocks.test(program_and_exports)()  # type: ignore[no-untyped-call]
    finally:
        gc.enable()  # the project's program disables it
    return deployment
