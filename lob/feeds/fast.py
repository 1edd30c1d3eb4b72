"""Fast: a recorded day in the form that replays fastest, one Parquet file made once from any other.

Owns the file: the columns that rows of a recording differ in, and in its metadata what else a Feed has. It is read a group of rows at a time, so that a day
need not fit in memory; each page has a checksum. Knows no market.
"""
import json
import os
import re
from contextlib import ExitStack, closing, contextmanager, suppress
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np

from lob.errors import FeedError
from lob.feeds.feed import Feed, joined
from lob.jit import jit
from lob.messages import REQUEST

SCHEMA_VERSION = 1
METADATA_KEY = b"lob_feed"
GROUP_ROWS = 2**16
COLUMNS = {"time_ns": "int64", "order_id": "int64", "price_ticks": "int64", "lots": "int32", "action": "uint8", "side": "int8", "flags": "uint16"}
# Columns that climb or wander in small steps shrink to little as differences; the others are small numbers that repeat.
_DELTA_COLUMNS = ["time_ns", "order_id", "price_ticks"]
_KINDS = {"name": str, "seed_count": int, "tick_size": str, "lot_size": str, "start_ns": int, "end_ns": int, "summary": dict}
_FIELDS = ("name", "seed_count", "start_ns", "end_ns")


class FastWriter:
    """A Parquet file of a recorded day while its rows come in. Raises FeedError if it cannot be written; until `finish` an earlier file is left as it was."""

    def __init__(self, path):
        from pyarrow import parquet

        self.path = Path(path)
        self._part, self._waiting, self._count = self.path.with_name(self.path.name + ".part"), [], 0
        options = {
            "compression": "lz4", "use_dictionary": [name for name in COLUMNS if name not in _DELTA_COLUMNS],
            "column_encoding": dict.fromkeys(_DELTA_COLUMNS, "DELTA_BINARY_PACKED"), "write_page_checksum": True,
        }
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = parquet.ParquetWriter(self._part, _schema(), **options)

    def add(self, rows):
        """Write REQUEST[n], GROUP_ROWS at a time."""
        self._waiting.append(rows)
        self._count += len(rows)
        while self._count >= GROUP_ROWS:
            rows = joined(self._waiting)
            self._waiting, self._count = [rows[GROUP_ROWS:]], self._count - GROUP_ROWS
            self._write(rows[:GROUP_ROWS])

    def finish(self, feed):
        """Write what is left and what else the Feed says, and put the file in its place; return its path."""
        if self._count:
            self._write(joined(self._waiting))
        with self._writing():
            self._writer.add_key_value_metadata({METADATA_KEY: json.dumps(_metadata(feed))})
            self._writer.close()
            os.replace(self._part, self.path)
        return self.path

    def close(self):
        """Leave nothing behind of a file that was not finished."""
        with suppress(OSError, AttributeError):
            self._writer.close()
        self._part.unlink(missing_ok=True)

    def _write(self, rows):
        import pyarrow

        columns = [pyarrow.array(rows[name].astype(kind)) for name, kind in COLUMNS.items()]
        with self._writing():
            self._writer.write_table(pyarrow.table(columns, schema=_schema()), row_group_size=GROUP_ROWS)

    @contextmanager
    def _writing(self):
        try:
            yield
        except OSError as error:
            raise FeedError(f"{self.path}: cannot be written: {error.strerror or error}") from error


def _schema():
    import pyarrow

    return pyarrow.schema(list(COLUMNS.items()))


def write_fast(feed, path):
    """Write a Feed as a Parquet file and return its path. Raises FeedError if it cannot be written; then an earlier file is left as it was."""
    with closing(FastWriter(path)) as writer:
        for rows in feed.blocks():
            writer.add(rows)
        return writer.finish(feed)


def write_many(days, blocks, folder):
    """Write several Feeds, {name: Feed}, as FOLDER/NAME.parquet each, from one iterator of (name, REQUEST[n]); return {name: path}.

    What is no letter, digit or one of ._+=^#$*@- in a name is an underscore in that of the file. Raises FeedError as `write_fast` does.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FeedError(f"{folder}: cannot be written: {error.strerror or error}") from error
    with ExitStack() as stack:
        writers = {}
        for name in days:
            writers[name] = stack.enter_context(closing(FastWriter(folder / f"{re.sub(r'[^A-Za-z0-9._+=^#$*@-]', '_', name)}.parquet")))
        for name, rows in blocks:
            writers[name].add(rows)
        return {name: writers[name].finish(day) for name, day in days.items()}


def _metadata(feed):
    fields = {name: getattr(feed, name) for name in _FIELDS} | {"seed_count": feed.summary.get("seed_rows", feed.seed_count)}
    sizes = {"tick_size": str(feed.tick_size), "lot_size": str(feed.lot_size)}
    return {"schema_version": SCHEMA_VERSION, "recording": Path(feed.source).name, **fields, **sizes, "summary": feed.summary}


def fast(path, from_ns=None, to_ns=None):
    """Return the Feed in a Parquet file that `write_fast` made. Its rows are read when they are asked for.

    from_ns, to_ns: nanoseconds after midnight, agents act between them. Raises FeedError if it is not such a file or damaged.
    """
    with _reading(path), _open(path) as source:
        metadata = _read_metadata(source, path)
    sizes = (Decimal(metadata["tick_size"]), Decimal(metadata["lot_size"]))
    span_ns = (metadata["start_ns"], metadata["end_ns"])
    feed = Feed(metadata["name"], str(path), partial(_row_blocks, path), None, metadata["seed_count"], *sizes, *span_ns, metadata["summary"])
    return feed.between(from_ns, to_ns)


def _open(path):
    from pyarrow import parquet

    return parquet.ParquetFile(path, page_checksum_verification=True)


@contextmanager
def _reading(path):
    """Turn what pyarrow finds wrong with a file into a FeedError."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise FeedError(f"{path}: must be a whole Parquet file of a recording: {str(error).splitlines()[0] if str(error) else error!r}") from error


def _read_metadata(source, path):
    text = (source.metadata.metadata or {}).get(METADATA_KEY)
    if text is None:
        raise FeedError(f"{path}: must be made by `lob convert`: its metadata has no {METADATA_KEY.decode()!r}")
    metadata = json.loads(text)
    if metadata["schema_version"] != SCHEMA_VERSION:
        raise FeedError(f"{path}: schema version must be {SCHEMA_VERSION}, was {metadata['schema_version']}")
    for name, kind in _KINDS.items():
        if not isinstance(metadata.get(name), kind):
            raise FeedError(f"{path}: {name} must be of the kind {kind.__name__} in its metadata, was {metadata.get(name)!r}")
    for name in ("tick_size", "lot_size"):
        if not re.fullmatch(r"\d{1,18}(\.\d{1,18})?(E[+-]\d{1,2})?", metadata[name]) or Decimal(metadata[name]) <= 0:
            raise FeedError(f"{path}: {name} must be a number above 0 in its metadata, was {metadata[name]!r}")
    missing = [name for name in COLUMNS if name not in source.schema_arrow.names]
    if missing:
        raise FeedError(f"{path}: column {missing[0]} is missing")
    return metadata


def _row_blocks(path):
    """Yield the rows a group at a time."""
    with _reading(path):
        source = _open(path)
    last_ns = -2**63
    with source:
        for group in range(source.num_row_groups):
            with _reading(path):
                rows = _read_group(source, group)
            if len(rows) and (rows["time_ns"][0] < last_ns or (np.diff(rows["time_ns"]) < 0).any()):
                raise FeedError(f"{path}: times must not go back, do so in row group {group}")
            last_ns = rows["time_ns"][-1] if len(rows) else last_ns
            yield rows


def _read_group(source, group):
    columns = source.read_row_group(group, columns=list(COLUMNS), use_threads=False)
    arrays = [_column(columns, name) for name in COLUMNS]
    rows = np.zeros(len(arrays[0]), REQUEST)
    _fill_rows(rows, *arrays)
    return rows


def _column(columns, name):
    column = columns.column(name)
    if column.null_count or str(column.type) != COLUMNS[name]:
        raise ValueError(f"column {name} must be {COLUMNS[name]} without nulls, was {column.type} with {column.null_count} nulls")
    return column.combine_chunks().to_numpy()


@jit
def _fill_rows(rows, time_ns, order_id, price_ticks, lots, action, side, flags):
    for i in range(rows.shape[0]):
        row = rows[i]
        row.time_ns = row.sent_ns = time_ns[i]
        row.order_id, row.price_ticks, row.lots = order_id[i], price_ticks[i], lots[i]
        row.action, row.side, row.flags = action[i], side[i], flags[i]
