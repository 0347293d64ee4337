"""The checksum of a pod's configuration."""

from typing import Any

import pulumi

from components import ModelService
from tests.mocks import deploy
from tests.model_services import arguments, template


def checksum(**given: Any) -> str:
    annotations: dict[str, str] = template(**given)["metadata"]["annotations"]
    return annotations["checksum/config"]


def mounting(name: str, kind: str = "config_map") -> dict[str, Any]:
    return {"volumes": {"settings": {"path": "/etc/bert", kind: name}}}


def test_the_checksum_is_that_of_the_mounted_configmaps_and_secrets_and_their_version() -> None:
    one = checksum(**mounting("one"))
    assert one == checksum(**mounting("one"))
    assert len({one, checksum(**mounting("two")), checksum(**mounting("one"), config_version="2")}) == 3
    assert checksum(**mounting("one", "secret")) != one


def test_pods_without_configuration_have_no_checksum() -> None:
    assert "annotations" not in template()["metadata"]


def test_a_checksum_of_an_output() -> None:
    def deployed(content: str) -> str:
        version = pulumi.Output.from_input(content)
        spec = deploy(lambda: ModelService("bert", arguments(config_version=version)))["bert-deployment"].inputs["spec"]
        found: str = spec["template"]["metadata"]["annotations"]["checksum/config"]
        return found

    assert deployed("1") == checksum(config_version="1")
    assert deployed("1") != deployed("2")
