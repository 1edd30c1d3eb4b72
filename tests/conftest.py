"""What every test may need: where the real market data is, and when the long tests run."""
import os
from pathlib import Path

import pytest
from hypothesis import settings

PROJECT = Path(__file__).parents[1]


def pytest_configure(config):
    # An example may be the one that compiles what it calls.
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
    config.addinivalue_line("markers", "long: minutes, not seconds; runs only when asked for with -m long")


def pytest_collection_modifyitems(config, items):
    if "long" in config.getoption("markexpr"):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="long: ask for it with -m long"))


@pytest.fixture(scope="session")
def data_folder():
    """Return the folder of real market data, which is never part of the project. Where it is missing a test is skipped; in CI it fails."""
    folder = Path(os.environ.get("LOB_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse(f"no real market data at {folder}; LOB_DATA says where it is")
    return folder
