"""The store: every run is a row from the moment it is queued. The only SQL of the project."""
