"""The check against Kubernetes' schemas can fail."""

import pytest

from tests.schemas import assert_valid


@pytest.mark.parametrize("spec", [{"containers": [{"name": "c", "imag": "a"}]}, {"containers": "c"}])
def test_a_manifest_with_a_mistake_is_refused(spec: dict[str, object]) -> None:
    with pytest.raises(AssertionError, match=r"pod is refused by 1\.33"):
        assert_valid({"pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}})
