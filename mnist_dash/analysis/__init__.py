"""Numbers that can be trusted: intervals, paired tests, replicates, calibration, slices, curves."""
