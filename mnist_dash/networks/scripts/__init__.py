"""A run as a plain Keras script or notebook that anyone can read, run and change."""
