"""The rules, one module for each kind of object that they check."""
