"""Streamlit's command line, which also writes down how long the server took for each run of a page.

`benchmarks.pages` starts it in place of `streamlit`; the product knows nothing of it.
"""

import os
import time
from pathlib import Path

from streamlit.runtime.scriptrunner.script_runner import RerunData, ScriptRunner
from streamlit.web import cli

TIMES = "BENCHMARK_TIMES"  # names the file: seconds that passed and that the processor worked, one run a line


def _run_timed(runner: ScriptRunner, rerun_data: RerunData) -> None:
    started, worked = time.perf_counter(), time.thread_time()
    try:
        _run(runner, rerun_data)
    finally:
        with Path(os.environ[TIMES]).open("a") as file:
            file.write(f"{time.perf_counter() - started} {time.thread_time() - worked}\n")


if __name__ == "__main__":
    _run = ScriptRunner._run_script
    ScriptRunner._run_script = _run_timed
    cli.main()
