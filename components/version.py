"""The version of the Python distribution and of the Pulumi package."""

VERSION = "0.1.0"
"""A semantic version. CHANGELOG.md defines breaking changes."""
