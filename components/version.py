"""The version of the components: of their Python distribution and of their Pulumi package."""

VERSION = "0.1.0"
"""Semantic: see CHANGELOG.md for what counts as a break."""
