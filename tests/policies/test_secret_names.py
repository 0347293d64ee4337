"""Names that indicate a secret value."""

import pytest

from policies.secret_names import names_secret

SECRETS = """HF_TOKEN hf-token hfToken HFToken aws_secret_access_key PGPASSWORD MYSQL_PWD db.password dbPassword dbpassword
    API_KEY apiKey clientSecret hub/token2 ssh_key accesstoken GOOGLE_CREDENTIALS"""
OTHERS = """TOKENIZER TOKENIZER_PATH MAX_TOKENS max-new-tokens tokens-per-second ms-per-token TOKEN_FILE tokenFile
    keyboard monkey MONKEY KEYS_PER_BATCH topologyKey secretName PWD OLDPWD eos_token padToken passwordless"""


@pytest.mark.parametrize("name", SECRETS.split())
def test_a_name_of_a_secret(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("name", OTHERS.split())
def test_another_name(name: str) -> None:
    assert not names_secret(name)
