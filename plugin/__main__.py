"""The plugin's program: Pulumi starts it, and finds the components in the checkout that it lies in."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi.provider import main

from plugin.provider import Components

main(Components(), sys.argv[1:])
