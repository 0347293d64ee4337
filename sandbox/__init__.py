"""A disposable real cluster and the toolchain, so that a bare machine can run all of this."""
