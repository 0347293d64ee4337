"""A preview, made readable for whoever has to approve it; and what went wrong after it."""
