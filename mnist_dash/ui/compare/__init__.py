"""The Compare page: what is compared, and one view a question."""
