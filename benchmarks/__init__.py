"""Benchmarks of the program's own cost."""
