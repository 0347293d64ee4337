"""The review of a change from its preview, and the diagnosis of a failed update."""
