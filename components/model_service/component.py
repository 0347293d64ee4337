"""ModelService: a model behind a stable name, changed without dropping a request."""

from typing import Any

import pulumi

from ..base.arguments import checked_name
from ..base.names import ServiceName
from ..base.registration import register_all
from . import canary as canaries
from . import networking as exposure
from .args import ModelServiceArgs
from .manifests import manifests, warnings

TYPE = "ml-platform:index:ModelService"


class ModelService(pulumi.ComponentResource):
    """A model that serves requests in a team's namespace.

    Children: ``<name>-deployment``, ``-service``, ``-disruption-budget`` and ``-service-account``; where
    asked for, ``-autoscaler`` or ``-scaled-object``, ``-ingress``, ``-route``, ``-canary``,
    ``-canary-service``, ``-service-monitor`` or ``-pod-monitor``. For a model that is hosted elsewhere,
    ``<name>-service`` alone.
    """

    url: pulumi.Output[str]
    """Where clients in the cluster reach it."""

    external_address: pulumi.Output[str | None]
    """IP address or host name of its load balancer; None for other types of service."""

    def __init__(
        self, name: str, args: ModelServiceArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ModelServiceArgs.of(args)
        checked_name("ModelService", canaries.name(name) if args.canary else name, ServiceName)
        tenant = args.tenant()
        objects = manifests(name, args, tenant)
        args.reserve_quota(f"ModelService {name}", objects)
        super().__init__(TYPE, name, {}, opts)
        for warning in warnings(args, tenant.quota):
            pulumi.log.warn(warning, resource=self)
        children = register_all(
            self, name, objects, depends_on=args.dependencies(), timeout=args.timeout_seconds, options=_options(args)
        )
        service = children["service"]
        port = args.service.port
        self.url = service.metadata.apply(
            lambda metadata: (
                f"http://{metadata['name']}.{metadata['namespace']}.svc.cluster.local"
                + (f":{port}" if port != 80 else "")
            )
        )
        self.external_address = service.status.apply(exposure.address)
        self.register_outputs({"url": self.url, "externalAddress": self.external_address})


def _options(args: ModelServiceArgs) -> dict[str, pulumi.ResourceOptions]:
    """What is special about a role: how long to wait, and what another one owns."""
    # What the API server makes of a number that its owner takes out of the manifest is 1. Ignored, it
    # stays what it is until the autoscaler changes it.
    ignored = ["spec.replicas"] if args.autoscale is not None else []
    return {
        "deployment": pulumi.ResourceOptions(
            custom_timeouts=_timeouts(args.wait(args.max_replicas())), ignore_changes=ignored
        ),
        **(
            {"canary": pulumi.ResourceOptions(custom_timeouts=_timeouts(args.wait(args.canary_pods())))}
            if args.canary
            else {}
        ),
    }


def _timeouts(seconds: int) -> pulumi.CustomTimeouts:
    return pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")
