"""Shared by training jobs and model services: arguments and the pod template."""
