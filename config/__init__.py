"""What a stack may say, and how it is read."""

from config.loader import StackError, load, load_file
from config.settings import StackSettings

__all__ = ["StackError", "StackSettings", "load", "load_file"]
