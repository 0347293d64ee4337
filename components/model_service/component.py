"""ModelService: a model behind a stable name, updated without dropped requests."""

from typing import Any

import pulumi

from ..base.arguments import checked_name
from ..base.errors import report
from ..base.names import ServiceName
from ..base.program import tracked
from ..base.registration import register_all
from .args import ModelServiceArgs
from .canary import canary_name
from .manifests import manifests, warnings
from .networking import address

TYPE = "ml-platform:index:ModelService"


class ModelService(pulumi.ComponentResource):
    """A model that serves requests in a team's namespace.

    Children: ``<name>-deployment``, ``-service``, ``-disruption-budget`` and ``-service-account``; if
    requested, ``-autoscaler`` or ``-scaled-object``, ``-ingress``, ``-route``, ``-canary``,
    ``-canary-service``, ``-service-monitor`` or ``-pod-monitor``. For a model that is hosted elsewhere,
    ``<name>-service`` alone.
    """

    url: pulumi.Output[str]
    """URL for clients in the cluster."""

    external_address: pulumi.Output[str | None]
    """IP address or host name of the load balancer; None for other types of Service."""

    def __init__(
        self, name: str, args: ModelServiceArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ModelServiceArgs.of(args)
        object_name = args.object_name(name)
        checked_name("ModelService", canary_name(object_name) if args.canary else object_name, ServiceName)
        tenant = args.tenant()
        objects = manifests(name, args, tenant)
        args.reserve_quota(f"ModelService {name}", objects)
        super().__init__(TYPE, name, {}, tracked("ModelService", name, object_name, args, opts))
        for warning in warnings(args, tenant.quota):
            pulumi.log.warn(report("", [warning]), resource=self)
        children = register_all(
            self,
            name,
            objects,
            depends_on=args.dependencies(),
            timeout=args.timeout_seconds,
            options=_options(args),
            adopted=objects if args.adopt else (),
        )
        service = children["service"]
        port = args.service.port
        self.url = service.metadata.apply(
            lambda metadata: (
                f"http://{metadata['name']}.{metadata['namespace']}.svc.cluster.local"
                + (f":{port}" if port != 80 else "")
            )
        )
        self.external_address = service.status.apply(address)
        self.register_outputs({"url": self.url, "externalAddress": self.external_address})


def _options(args: ModelServiceArgs) -> dict[str, pulumi.ResourceOptions]:
    """Options of single roles: how long to wait for a rollout, and fields that another owner sets."""
    # When the owner of a number removes it from the manifest, the API server sets it to 1. Ignored, it keeps
    # its value until the autoscaler changes it.
    ignored = ["spec.replicas"] if args.autoscale is not None else []
    wait = _timeouts(args.rollout_wait_seconds(args.max_replicas()))
    options = {"deployment": pulumi.ResourceOptions(custom_timeouts=wait, ignore_changes=ignored)}
    if args.canary is not None:
        wait = _timeouts(args.rollout_wait_seconds(args.canary_replicas()))
        options["canary"] = pulumi.ResourceOptions(custom_timeouts=wait)
    return options


def _timeouts(seconds: int) -> pulumi.CustomTimeouts:
    return pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")
