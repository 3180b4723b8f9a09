# Shorthand for those who have make; README.md has the same commands for everyone else.
.PHONY: app test check bench reference pictures

app: .venv/app.txt
	.venv/bin/streamlit run app.py

test: .venv/dev.txt
	.venv/bin/python -m pytest

check: .venv/dev.txt
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy mnist_dash pages app.py tools
	.venv/bin/python -m pytest

bench: .venv/dev.txt
	.venv/bin/python -m benchmarks.training

reference: .venv/app.txt
	.venv/bin/python -m tools.make_reference

pictures: .venv/dev.txt
	.venv/bin/python -m docs.pictures

.venv/app.txt: requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install -r requirements.txt
	cp requirements.txt .venv/app.txt

.venv/dev.txt: requirements.txt requirements-dev.txt
	python3 -m venv .venv
	.venv/bin/pip install -r requirements-dev.txt
	cp requirements.txt .venv/app.txt
	cat requirements.txt requirements-dev.txt > .venv/dev.txt
