"""The policy pack: ``pulumi preview --policy-pack policies``."""

import sys
from pathlib import Path

# The engine runs this folder as a program: Python then searches it for modules, instead of its parent.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from policies.pack import serve  # noqa: E402

serve()
