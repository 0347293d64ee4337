"""A disposable copy of the cluster, in which a change is tried before it is deployed."""
