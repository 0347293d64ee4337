"""The policy pack: ``pulumi preview --policy-pack policies``."""

import sys
from pathlib import Path

# The engine runs this folder as a program, so that Python looks for modules in it, not beside it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from policies.pack import serve  # noqa: E402

serve()
