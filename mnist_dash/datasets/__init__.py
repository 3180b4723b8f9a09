"""MNIST and the bundled sample: find, check, download, split.

No file is trusted: arrays are read without pickle, bounded in size, and checked against
the shapes, types, ranges and SHA-256 values of the real thing, whatever file they came in.
"""
