"""Predictions of finished runs, with LiteRT instead of TensorFlow."""
