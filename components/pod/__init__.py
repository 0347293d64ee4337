"""The parts of pods: node selection, resources, security, volumes, environment variables."""
