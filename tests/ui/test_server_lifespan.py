"""What a server loads before its first visitor is what the first page needs, and no TensorFlow."""

import os
import subprocess
import sys

from tests.browser.serving import PROJECT

FIRST_PAGE = """
import sys
from streamlit.testing.v1 import AppTest
from mnist_dash.ui.shared.server_lifespan import warm_up

warm_up()
loaded = set(sys.modules)
page = AppTest.from_file(sys.argv[1], default_timeout=60).run()
assert [title.value for title in page.title] == ["MNIST Dash"], page
print(sorted(name for name in set(sys.modules) - loaded if name.startswith(("mnist_dash", "pandas", "sqlalchemy"))))
print(sorted({"tensorflow", "keras"} & set(sys.modules)))
"""
WARM_UP = "from mnist_dash.ui.shared.server_lifespan import warm_up; warm_up()"


def run(code, database):
    environment = {**os.environ, "MNIST_DASH_DATABASE_URL": f"sqlite:///{database}"}
    command = [sys.executable, "-c", code, str(PROJECT / "app.py")]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True)


def test_the_first_page_finds_all_that_it_imports_loaded(tmp_path):
    found = run(FIRST_PAGE, tmp_path / "runs.sqlite")

    assert found.stdout.splitlines()[-2:] == ["[]", "[]"]


def test_a_database_that_cannot_be_opened_is_left_to_the_page(tmp_path):
    broken = tmp_path / "runs.sqlite"
    broken.write_bytes(b"no database")

    found = run(WARM_UP, broken)

    assert found.stderr == ""
