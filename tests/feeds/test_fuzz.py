"""Minutes of fuzzing of every format, led by coverage; `tests/feeds/fuzz_feeds.py` does the work. LOB_FUZZ_SECONDS says how long, by default a minute."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

FUZZER = Path(__file__).with_name("fuzz_feeds.py")


@pytest.mark.long
def test_no_input_brings_about_anything_but_rows_or_an_error_that_names_the_file(tmp_path):
    pytest.importorskip("atheris", reason="atheris is an optional test dependency: pip install atheris")
    command = [sys.executable, FUZZER, tmp_path, "--seconds", os.environ.get("LOB_FUZZ_SECONDS", "60")]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, f"{[path.name for path in tmp_path.iterdir()]}\n{done.stderr[-3000:]}"
