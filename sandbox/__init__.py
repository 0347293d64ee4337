"""A disposable Kubernetes cluster, and the toolchain that runs it and Pulumi on a bare machine."""
