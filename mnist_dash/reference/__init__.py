"""The models that ship with the project, as exported runs; `make.py` trains them."""
