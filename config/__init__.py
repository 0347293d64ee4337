"""The configuration of a stack: its models, and how it is loaded."""

from config.loader import StackError, load, load_file
from config.settings import StackSettings

__all__ = ["StackError", "StackSettings", "load", "load_file"]
