"""Names that indicate a secret value: of environment variables, flags and keys of a ConfigMap."""

import re

# PGPASSWORD is one word; dbPassword and HFToken are two.
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")

# The last word decides: TOKENIZER, TOKEN_FILE and MAX_TOKENS are no secrets, nor are special tokens of a vocabulary
# such as EOS_TOKEN. PWD without a prefix is the working directory.
_SECRET = re.compile(
    r"(?:^|_)(?:"
    r"[a-z]*(?:password|passwd|passphrase|secret)"
    r"|(?<!bos_)(?<!eos_)(?<!pad_)(?<!unk_)(?<!sep_)(?<!cls_)(?<!mask_)(?<!stop_)(?<!per_)token"
    r"|(?:access|api|auth|bearer|hf|refresh|session)token"
    r"|credentials?|[a-z0-9]+_pwd"
    r"|(?:access|account|api|auth|encryption|master|private|secret|signing|ssh)_?keys?"
    r")(?:_?[0-9]+)?$"
)


def names_secret(name: str) -> bool:
    """Whether the value of this name is a secret, in any spelling: ``HF_TOKEN``, ``hf-token``, ``hfToken``."""
    return _SECRET.search("_".join(_WORD.findall(name)).lower()) is not None
