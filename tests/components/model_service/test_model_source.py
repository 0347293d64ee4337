"""The source of a model."""

from typing import Any

import pytest

from tests.model_services import OPTIONS, arguments, template
from tests.problems import errors

ONE_NODE = {"source": {"claim": "bert"}}


def test_a_download_runs_before_the_server_starts() -> None:
    spec = template(model={"path": "/weights", "source": {"download": {"command": ["fetch"], "size": "50Gi"}}})["spec"]
    (init,) = spec["initContainers"]
    assert (init["name"], init["image"], init["command"]) == ("model-download", "server:v1", ["fetch"])
    assert init["resources"] == {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
    assert {"name": "model", "emptyDir": {"sizeLimit": "50Gi"}} in spec["volumes"]
    for each in (init, spec["containers"][0]):
        assert {"name": "model", "mountPath": "/weights"} in each["volumeMounts"]


def test_a_download_has_its_own_image_and_variables() -> None:
    (init,) = template(**OPTIONS["model from a download"])["spec"]["initContainers"]
    assert init["image"] == "aws:v2"
    assert init["env"] == [{"name": "A", "value": "1"}]


def test_a_variable_of_the_download_overrides_that_of_the_workload() -> None:
    download = {"command": ["fetch"], "env": {"HF_HOME": "/models"}, "size": "50Gi"}
    spec = template(env={"HF_HOME": "/cache"}, model={"source": {"download": download}})["spec"]
    assert spec["initContainers"][0]["env"] == [{"name": "HF_HOME", "value": "/models"}]
    assert spec["containers"][0]["env"] == [{"name": "HF_HOME", "value": "/cache"}]


@pytest.mark.parametrize(
    ("source", "volume"),
    [
        ({"claim": "bert", "access_mode": "ReadOnlyMany"}, {"persistentVolumeClaim": {"claimName": "bert"}}),
        ({"image": "models/bert:v1"}, {"image": {"reference": "models/bert:v1", "pullPolicy": "Always"}}),
    ],
)
def test_a_claim_or_an_image_is_mounted_read_only(source: dict[str, Any], volume: dict[str, Any]) -> None:
    spec = template(model={"source": source})["spec"]
    assert {"name": "model", **volume} in spec["volumes"]
    assert {"name": "model", "mountPath": "/models", "readOnly": True} in spec["containers"][0]["volumeMounts"]


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"model": {"source": {}}}, "exactly-one-of", "model.source"),
        ({"model": {"source": {"claim": "a", "image": "b:c"}}}, "exactly-one-of", "model.source"),
        (
            {"model": {"source": {"image": "models/bert:v1", "access_mode": "ReadOnlyMany"}}},
            "requires",
            "model.source.access_mode",
        ),
        (
            {"model": {"source": {"download": {"command": ["get"], "size": "50m"}}}},
            "quantity-fraction",
            "model.source.download.size",
        ),
        (
            {"model": ONE_NODE, "volumes": {"model": {"path": "/data", "ephemeral": "1Gi"}}},
            "name-taken",
            "volumes.model",
        ),
        (
            {"model": ONE_NODE, "volumes": {"data": {"path": "/models/", "ephemeral": "1Gi"}}},
            "mount-path-taken",
            "model.path",
        ),
        ({"model": {**ONE_NODE, "path": "/tmp"}}, "mount-path-taken", "model.path"),
        ({"model": {**ONE_NODE, "path": "/tmp/"}}, "mount-path-taken", "model.path"),
        (
            {"model": ONE_NODE, "init_containers": [{"name": "model-download", "resources": {"requests": {"cpu": 1}}}]},
            "name-taken",
            "init_containers[0].name",
        ),
    ],
)
def test_invalid_models(given: dict[str, Any], code: str, path: str) -> None:
    assert errors(lambda: arguments(**given)) == [(code, path)]
