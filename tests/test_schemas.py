"""The validation of manifests rejects invalid ones."""

import pytest

from tests.schemas import assert_valid


@pytest.mark.parametrize("spec", [{"containers": [{"name": "c", "imag": "a"}]}, {"containers": "c"}])
def test_an_invalid_manifest_is_rejected(spec: dict[str, object]) -> None:
    with pytest.raises(AssertionError, match=r"pod is invalid in 1\.33"):
        assert_valid({"pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}})
