# Shorthand for those who have make; `./run` does the same for everyone else.
.PHONY: app test check audit bench reference pictures

app test check:
	./run $@

# Known weaknesses of what we depend on; asks the network.
audit: .venv/dev.txt
	.venv/bin/python -m pip install -q pip-audit
	.venv/bin/python -m pip_audit -r requirements.txt

bench: .venv/dev.txt
	.venv/bin/python -m benchmarks.training

reference: .venv/dev.txt
	.venv/bin/python -m tools.make_reference

pictures: .venv/dev.txt
	.venv/bin/python -m docs.pictures

.venv/dev.txt:
	./run test --version
