"""What pods are made of: nodes, resources, security, volumes, environment."""
