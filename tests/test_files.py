"""A file is written whole or not at all: when the disk is full, or the writer fails, an earlier one stays as it was and nothing is left beside it."""
import os

import pytest
from full_disk import file_size_limit
from random_market import random_tape

from lob import OrderBook, Side, TapeError, feeds
from lob.errors import FeedError
from lob.files import whole_file
from lob.report.page import write_page
from lob.tape.recorded import feed_of


def test_a_file_replaces_an_earlier_one_at_the_end_and_its_folder_is_made(tmp_path):
    path = tmp_path / "new" / "file"
    for text in ("first", "second"):
        with whole_file(path, TapeError) as part:
            part.write_text(text)
            assert not path.exists() or path.read_text() == "first"
    assert path.read_text() == "second"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_a_writer_that_fails_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("earlier")
    with pytest.raises(ZeroDivisionError), whole_file(path, TapeError) as part:
        part.write_text("half")
        1 / 0  # noqa: B018
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_of_a_link_the_file_is_replaced_and_a_pipe_is_written_to(tmp_path):
    file, link, pipe = (tmp_path / name for name in ("file", "link", "pipe"))
    file.write_text("earlier")
    link.symlink_to(file.name)
    with whole_file(link, TapeError) as part:
        part.write_text("new")
    assert link.is_symlink() and file.read_text() == "new"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with whole_file(pipe, TapeError) as part:
        part.write_text("through it")
    assert os.read(reader, 100) == b"through it" and pipe.is_fifo()
    os.close(reader)


@pytest.mark.parametrize("path", [".", "..", "/", ""])
def test_a_folder_cannot_be_written_to_as_a_file(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TapeError, match="cannot be written: Is a directory"), whole_file(path, TapeError) as part:
        part.write_text("page")
    assert list(tmp_path.iterdir()) == []


def snapshot(folder):
    book = OrderBook()
    for i in range(3_000):
        book.limit(Side.BUY, 100 + i * 37 % 1_009, 1 + i % 7, order_id=i + 1)
    return book.save(folder / "book.npz")


WRITERS = {
    "page": (TapeError, lambda folder: write_page("x" * 10_000, folder / "page.html")),
    "snapshot": (TapeError, snapshot),
    "itch": (FeedError, lambda folder: feeds.write_itch(feed_of(random_tape(1_000, seed=2)), folder / "day.itch", stock="TEST")),
    "lobster": (FeedError, lambda folder: feeds.write_lobster(feed_of(random_tape(1_000, seed=2)), folder)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_on_a_full_disk_an_earlier_file_stays(name, tmp_path):
    error, write = WRITERS[name]
    write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with file_size_limit(2_000), pytest.raises(error, match="cannot be written: File too large"):
        write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
