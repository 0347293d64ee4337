"""Checks of a change against the cluster, with server-side dry runs and reads only."""
