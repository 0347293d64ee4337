"""The plugin's entry point for Pulumi. It imports the components of the checkout that it is in."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi.provider import main

from plugin.provider import Components

main(Components(), sys.argv[1:])
