"""Fuzzing of the feeds, led by what their code does: python tests/feeds/fuzz_feeds.py FOLDER --seconds 600

Needs `pip install atheris`. FOLDER keeps the corpus; a finding stops the run, and the input that brought it about is left there as crash-*, timeout-* or oom-*:
`python tests/feeds/fuzz_feeds.py FOLDER --again FOLDER/crash-*` runs it once more.

An input is a byte of options and a file's content, of any format. Whatever it is, reading it, and replaying what was read, ends in a LobError
that names the file, or in rows whose times do not go back: no other error, no crash, no hang, and no more memory than a small file can need.
"""
import argparse
import gzip
import io
import resource
import sys
import tempfile
import zipfile
from pathlib import Path
from types import FunctionType

import atheris
import numpy as np
import pyarrow
from conftest import SimulatedVenue
from made_files import dbn_day, itch_day

from lob import Simulation, feeds
from lob.errors import LobError
from lob.tape.record import Tape
from lob.tape.recorded import feed_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from random_market import random_tape

KEEP_GOING, STREAM, REPLAY, WHOLE_PAIR = 1, 2, 4, 8
PACKINGS = 4  # in the next two bits: plain, gzip, zstd, zip
MESSAGE_NAME, BOOK_NAME = (f"TEST_2024-01-02_34200000_57600000_{word}_2.csv" for word in ("message", "orderbook"))
BETWEEN_FILES = b"\0\0book\0\0"
BYTES_MAX, SECONDS_MAX, MEMORY_MAX_MB = 2**14, 20, 2_048
TAPE_MAGIC = b"tape"  # before the content of a tape: a Parquet file like the fast form


def packed(content, packing, name):
    """Return a content as one of the packings holds it."""
    if packing == 1:
        return gzip.compress(content, 1, mtime=0)
    if packing == 2:
        return pyarrow.Codec("zstd").compress(content, asbytes=True)
    if packing == 3:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, content)
        return buffer.getvalue()
    return content


def opened(folder, options, content):
    """Return the Feed of an input, written into a folder."""
    keep_going, stream, packing = bool(options & KEEP_GOING), bool(options & STREAM), options // 16 % PACKINGS
    if content.startswith(TAPE_MAGIC):
        (folder / "tape.parquet").write_bytes(content[len(TAPE_MAGIC):])
        return feed_of(Tape.read(folder))
    messages, _, book = content.partition(BETWEEN_FILES)
    path = folder / MESSAGE_NAME
    path.write_bytes(packed(messages, packing, MESSAGE_NAME))
    (folder / BOOK_NAME).unlink(missing_ok=True)
    if options & WHOLE_PAIR and book:
        (folder / BOOK_NAME).write_bytes(packed(book, packing, BOOK_NAME))
    return feeds.read(path, keep_going=keep_going, stream=stream)


def check(folder, data):
    """Read an input, and perhaps replay it; raises whatever is not allowed to happen."""
    if len(data) < 2:
        return
    names = [str(folder)]
    try:
        feed = opened(folder, data[0], data[1:])
        last_ns = None
        names += [feed.source] * data[1:].startswith(TAPE_MAGIC)  # what is made of a tape has its scenario's name, and no file's
        for rows in feed.blocks():
            times_ns = rows["time_ns"]
            assert (np.diff(times_ns) >= 0).all() and (last_ns is None or not len(rows) or times_ns[0] >= last_ns), "times go back"
            last_ns = times_ns[-1] if len(rows) else last_ns
        if data[0] & REPLAY:
            Simulation([], feed=feed).run(progress=False)
    except LobError as error:
        assert any(name in str(error) for name in names), f"the error must name the file: {error}"


def seeds(folder):
    """Yield a small input of every format and packing."""
    plain = {f"dbn{version}": dbn_day(12, version) for version in (1, 2, 3)}
    plain |= {"itch": itch_day(12), "itch0": itch_day(12, with_lengths=False)}
    day = SimulatedVenue(3, 2).day(60)
    plain["lobster"] = day.message_text.encode() + BETWEEN_FILES + day.book_text.encode()
    for name, content in plain.items():
        for packing in range(PACKINGS):
            for options in (0, KEEP_GOING, REPLAY, STREAM | KEEP_GOING | REPLAY):
                yield f"{name}-{packing}-{options}", bytes([options | WHOLE_PAIR | 16 * packing]) + content
        for packing in range(1, PACKINGS):  # so that the packing itself is damaged
            yield f"{name}-packed-{packing}", bytes([KEEP_GOING]) + packed(content, packing, MESSAGE_NAME)
    (folder / "day.dbn").write_bytes(plain["dbn3"])
    yield "fast", bytes([REPLAY]) + feeds.write_fast(feeds.read(folder / "day.dbn"), folder / "day.parquet").read_bytes()
    random_tape(40, 1).write(folder / "tape")
    yield "tape", bytes([REPLAY]) + TAPE_MAGIC + (folder / "tape" / "tape.parquet").read_bytes()


def instrument():
    """Let atheris see which lines of the readers an input reaches; not those of compiled code, which is none of Python's."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("lob.feeds", "lob.tape")):
            classes = [found for found in vars(module).values() if isinstance(found, type) and found.__module__ == name]
            for place in (module, *classes):
                for function in [found for found in vars(place).values() if isinstance(found, FunctionType) and found.__module__ == name]:
                    atheris.instrument_func(function)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--again", type=Path, help="run one input once more, and nothing else")
    options = parser.parse_args()
    corpus = options.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for seed, content in seeds(scratch):
            (corpus / seed).write_bytes(content)
            check(scratch, content)  # compiled, and right, before it is damaged
        if options.again:
            check(scratch, options.again.read_bytes())
            return
        instrument()
        # From here on, and not by libFuzzer's own count, which has the compiler's memory in it and what it keeps of all that it has seen.
        limit = MEMORY_MAX_MB * 2**20 + 4096 * int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        limits = [f"-max_total_time={options.seconds}", f"-timeout={SECONDS_MAX}", "-rss_limit_mb=0", f"-max_len={BYTES_MAX}"]
        arguments = [sys.argv[0], *limits, f"-artifact_prefix={options.folder}/", str(corpus)]
        atheris.Setup(arguments, lambda data: check(scratch, data), enable_python_coverage=True)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
