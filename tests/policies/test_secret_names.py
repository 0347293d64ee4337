"""Names that indicate a secret value."""

import pytest

from policies.secret_names import names_secret
from tests.policies.secret_names import OTHERS, SECRETS


@pytest.mark.parametrize("name", SECRETS)
def test_a_name_of_a_secret(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("name", OTHERS)
def test_another_name(name: str) -> None:
    assert not names_secret(name)
