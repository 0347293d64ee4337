"""Names that indicate a secret value, and others."""

SECRETS = (
    "HF_TOKEN", "hf-token", "hfToken", "HFToken", "aws_secret_access_key", "PGPASSWORD", "MYSQL_PWD", "db.password",
    "dbPassword", "dbpassword", "API_KEY", "apiKey", "clientSecret", "hub/token2", "ssh_key", "accesstoken",
    "GOOGLE_CREDENTIALS",
)  # fmt: skip
OTHERS = (
    "TOKENIZER", "TOKENIZER_PATH", "MAX_TOKENS", "max-new-tokens", "tokens-per-second", "ms-per-token", "TOKEN_FILE",
    "tokenFile", "keyboard", "monkey", "MONKEY", "KEYS_PER_BATCH", "topologyKey", "secretName", "PWD", "OLDPWD",
    "eos_token", "padToken", "passwordless",
)  # fmt: skip
