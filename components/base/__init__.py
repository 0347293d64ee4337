"""Shared by all components: argument models, errors, names, labels, registration, ownership."""
