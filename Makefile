# Shorthand for those who have make; `./run` does the same for everyone else.
.PHONY: app test check bench reference pictures

app test check:
	./run $@

bench: .venv/dev.txt
	.venv/bin/python -m benchmarks.training

reference: .venv/dev.txt
	.venv/bin/python -m tools.make_reference

pictures: .venv/dev.txt
	.venv/bin/python -m docs.pictures

.venv/dev.txt:
	./run test --version
