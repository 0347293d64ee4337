"""The pod template of a workload, built from its arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..base.labels import Labels
from ..base.objects import Manifest
from ..base.quantities import Quantity, parse_quantity
from ..pod.env import Env
from ..pod.node_pool import NodePool
from ..pod.resources import Resources
from ..pod.volumes import DEFAULT_MOUNT_PATHS, Volume, memory_volume
from .args import WorkloadArgs


@dataclass(frozen=True)
class PodExtras:
    """What a component adds to the pod template that the arguments define."""

    labels: Labels
    shared_memory: Quantity | None = None
    env: Sequence[Manifest] = ()
    """Environment variables of all containers, in addition to the user's."""

    volumes: Mapping[str, Volume] = field(default_factory=dict)
    """Volumes, in addition to the user's."""

    annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations of the pod. The user's override them."""

    main: Manifest | None = None
    """Additional fields of the main container: ports, probes."""

    spec: Manifest | None = None
    """Additional fields of the pod's spec: restart policy."""


def service_account(name: str, args: WorkloadArgs, metadata: Manifest) -> dict[str, Manifest]:
    """The ServiceAccount of a workload, by role; none if it uses an existing one.

    It does not use the namespace's default account, which a controller creates some time after the namespace: the API
    server rejects pods until then.
    """
    if args.service_account is not None:
        return {}
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {**metadata, "name": name},
        "automountServiceAccountToken": False,
    }
    return {"service-account": account}


def pod_template(name: str, args: WorkloadArgs, pod: PodExtras) -> Manifest:
    """The ``metadata`` and ``spec`` of the pods of the workload of that name."""
    pool = args.node_pool or NodePool()
    volumes: list[Manifest] = [{"name": "tmp", "emptyDir": {}}]
    if pod.shared_memory is not None:
        volumes.append(memory_volume("shm", pod.shared_memory))
    mounts = [{"name": volume["name"], "mountPath": DEFAULT_MOUNT_PATHS[volume["name"]]} for volume in volumes]
    data = {**args.volumes, **pod.volumes}
    mounts += [volume.mount(name) for name, volume in data.items()]
    volumes += [volume.manifest(name, args.image_pull_policy) for name, volume in data.items()]

    image = args.image if args.image is not None else pool.image
    env = _plain(args.env)
    env += [{"name": name, "valueFrom": source.manifest()} for name, source in args.secret_env.items()]
    env += pod.env
    common: Manifest = {
        "imagePullPolicy": args.image_pull_policy,
        "securityContext": args.security.of_container(),
        "volumeMounts": mounts,
    }
    main = {
        "name": args.main_container(),
        "image": image,
        **_present(command=args.command, args=args.args, env=env),
        "resources": args.main_resources().manifest(pool.gpus(args.gpus)),
        **(pod.main or {}),
        **common,
    }
    init = [
        {
            "name": container.name,
            "image": container.image if container.image is not None else image,
            **_present(command=container.command, args=container.args),
            # The container's own come last, so that they can refer to all others.
            **_present(env=[*(each for each in env if each["name"] not in container.env), *_plain(container.env)]),
            "resources": container.resources.manifest(),
            **common,
        }
        for container in args.init_containers
    ]
    spec: Manifest = {
        **_present(initContainers=init),
        "containers": [main],
        "volumes": volumes,
        "securityContext": args.security.of_pod(),
        "serviceAccountName": args.service_account if args.service_account is not None else name,
        "automountServiceAccountToken": args.security.api_token,
        # The variables of every Service in the namespace could override the user's.
        "enableServiceLinks": False,
        **_present(
            nodeSelector=pool.node_selector,
            tolerations=[toleration.manifest() for toleration in pool.tolerations],
            runtimeClassName=pool.runtime_class_name,
            imagePullSecrets=[{"name": secret} for secret in args.image_pull_secrets],
            priorityClassName=args.priority_class,
        ),
        **(pod.spec or {}),
    }
    metadata: Manifest = {"labels": pod.labels, **_present(annotations={**pod.annotations, **args.annotations})}
    return {"metadata": metadata, "spec": spec}


def _plain(env: Env) -> list[Manifest]:
    return [{"name": name, "value": value} for name, value in env.items()]


def _present(**fields: Any) -> Manifest:
    """The fields that are set."""
    return {name: value for name, value in fields.items() if value is not None and value != [] and value != {}}


def fraction_of_memory(resources: Resources, fraction: Decimal) -> Quantity | None:
    """A fraction of the memory limit in whole MiB; None without a limit, or if it is less than 1 MiB."""
    whole = int(parse_quantity(resources.limits.get("memory", "0")) * fraction / 1024**2)
    return f"{whole}Mi" if whole else None
