"""Pages hold any numbers, and take few bytes for those that lie together."""
import io

import numpy as np
import polars
import pyarrow.parquet
import pytest

from lob.messages import REPORT
from lob.tape import footer
from lob.tape.pages import Pages


def file_of(*groups):
    """Return a Parquet file of some arrays of rows, a row group each."""
    pages = Pages([footer.column_metadata(name) for name in REPORT.names])
    data, said = bytearray(footer.MAGIC), bytearray()
    for rows in groups:
        body, about = pages.of(rows, len(data))
        data += body
        said += about
    return bytes(data + footer.whole(sum(len(rows) for rows in groups), len(groups), bytes(said), b"lob", b"{}"))


def check_file(data, rows):
    """Fail unless two readers of Parquet find the rows in a file."""
    table, frame = pyarrow.parquet.read_table(io.BytesIO(data)), polars.read_parquet(io.BytesIO(data))
    for name in REPORT.names:
        assert np.array_equal(table[name].to_numpy(), rows[name]), name
        assert str(table[name].type) == str(REPORT[name])
        assert np.array_equal(frame[name].to_numpy(), rows[name]), name


@pytest.mark.parametrize("count", [1, 2, 7, 8, 128, 129, 130, 5_000])
def test_any_bytes_come_back(count):
    rows = np.frombuffer(np.random.default_rng(count).bytes(count * REPORT.itemsize), REPORT)
    check_file(file_of(rows), rows)


@pytest.mark.parametrize("spread", [0, 1, 2, 100, 255, 1_000, 2_046, 2_047, 2_048, 2**31 - 1])
def test_numbers_of_any_spread_come_back(spread):
    rng = np.random.default_rng(spread)
    rows = np.zeros(9_000, REPORT)
    for name in REPORT.names:
        low, high = np.iinfo(REPORT[name]).min, np.iinfo(REPORT[name]).max
        least = low if spread % 2 else max(low, high - spread)
        rows[name] = rng.integers(least, min(least + spread, high), len(rows), REPORT[name], endpoint=True)
        rows[name][0] = min(least + spread, high)
    check_file(file_of(rows), rows)


def test_groups_of_several_sizes_make_one_file():
    rows = np.zeros(400, REPORT)
    rows["time_ns"] = np.cumsum(np.random.default_rng(1).integers(0, 10**6, len(rows)))
    check_file(file_of(*(rows[first:first + 17] for first in range(0, len(rows), 17))), rows)


def test_a_number_that_climbs_evenly_and_one_that_never_changes_take_next_to_nothing():
    rows = np.zeros(16_000, REPORT)
    small = len(file_of(rows))
    rows["sequence"] = np.arange(len(rows))
    assert len(file_of(rows)) - small < 1_000
    rows["lots"] = np.random.default_rng(1).integers(0, 8, len(rows))
    assert abs(len(file_of(rows)) - small - 3 * len(rows) / 8) < 1_200, "three bits a row"
