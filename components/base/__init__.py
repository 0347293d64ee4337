"""What all components share: argument models, errors, names, labels, registration, ownership."""
