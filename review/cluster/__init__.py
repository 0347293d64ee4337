"""What the cluster itself says of a change."""
