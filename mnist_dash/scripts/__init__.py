"""A run as a plain Keras script or notebook that anyone can read, run and change."""

from mnist_dash.scripts.writing import keras_notebook, keras_script

__all__ = ["keras_notebook", "keras_script"]
