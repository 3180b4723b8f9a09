"""Any drawing, image or photo of digits → 28 × 28 pixels each, as MNIST's own digits were made.

The steps, in order: decoding (file → upright colours), ink (colours → where there is ink),
ruled_lines (without them), components (pieces of ink, joined), segmentation (which are
digits, in reading order), normalization (one digit → 28 × 28); pipeline runs them all.
"""
