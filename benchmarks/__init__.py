"""Measurements: side by side, in turn, in one run; ratios and medians, never limits in tests."""
