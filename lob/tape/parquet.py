"""Parquet: the files of a tape.

Owns FOLDER/tape.parquet, and the journal that a run keeps while it goes on: FOLDER/tape.rows, the raw rows in native order, beside
FOLDER/provenance.json. Rows are only ever appended to the journal, so whatever stops a run leaves every whole row before it readable.
When the run ends the journal becomes the Parquet file, a row group at a time: memory does not grow with the tape. Knows no market.
"""
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from lob.errors import TapeError
from lob.messages import REPORT
from lob.tape.columns import SCHEMA_VERSION, check_order, columns_of, fill_rows

TAPE_FILE = "tape.parquet"
JOURNAL_FILE = "tape.rows"
PROVENANCE_FILE = "provenance.json"
PROVENANCE_KEY = b"lob"
GROUP_ROWS = 2**20

# Columns that climb or repeat shrink to little as differences; the others are small numbers that a general compressor handles.
_DELTA_COLUMNS = ["time_ns", "sequence", "sent_ns", "order_id", "resting_id", "price_ticks"]


class TapeWriter:
    """The journal of a running simulation.

    Attributes: row_count, the rows kept so far; sha256, their running hash. A tape that is already in the folder is replaced.
    Raises TapeError if the folder cannot be made or written.
    """

    def __init__(self, folder, provenance):
        self.folder = Path(folder)
        self.row_count = 0
        self._digest = hashlib.sha256()
        self._journal_path = self.folder / JOURNAL_FILE
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / TAPE_FILE).unlink(missing_ok=True)
            _write_provenance(self.folder, {"schema_version": SCHEMA_VERSION, **provenance})
            self._journal_path.write_bytes(b"")
        except OSError as error:
            raise TapeError(f"{self.folder}: no tape can be written here: {error.strerror}") from error

    @property
    def sha256(self):
        """The SHA-256 of the rows kept so far, as hexadecimal text."""
        return self._digest.hexdigest()

    def append(self, rows):
        """Add rows to the journal: REPORT[n].

        Raises TapeError if the disk refuses; the whole rows written until then are kept, and the journal ends with the last of them.
        """
        data = np.ascontiguousarray(rows, REPORT).view(np.uint8).data
        kept, failure = self._write(data)
        self._digest.update(data[:kept])
        self.row_count += kept // REPORT.itemsize
        if failure is not None:
            raise TapeError(f"{self._journal_path}: {failure.strerror}; the tape is kept up to row {self.row_count:,}") from failure

    def _write(self, data):
        """Write bytes after the rows kept so far; return (bytes of whole rows written, the OSError that stopped it or None)."""
        written, failure = 0, None
        start = self.row_count * REPORT.itemsize
        try:
            with open(self._journal_path, "r+b", buffering=0) as journal:
                journal.seek(start)
                try:
                    while written < len(data):
                        written += journal.write(data[written:])
                finally:
                    written -= written % REPORT.itemsize
                    journal.truncate(start + written)
        except OSError as error:
            failure = error
        return written, failure

    def close(self, provenance):
        """Turn the journal into the Parquet file, delete it, and return the file's path.

        Raises TapeError if the disk is full; then the journal stays, and Tape.read finds its rows.
        """
        path = _write_parquet(self.folder, _journal_groups(self._journal_path), provenance)
        self._journal_path.unlink()
        (self.folder / PROVENANCE_FILE).unlink(missing_ok=True)
        return path


def write(folder, rows, provenance):
    """Write FOLDER/tape.parquet from REPORT[n] and return its path; raises TapeError if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TapeError(f"{folder}: no tape can be written here: {error.strerror}") from error
    groups = (rows[first : first + GROUP_ROWS] for first in range(0, len(rows), GROUP_ROWS))
    path = _write_parquet(folder, groups, provenance)
    for leftover in (JOURNAL_FILE, PROVENANCE_FILE):
        (folder / leftover).unlink(missing_ok=True)
    return path


def read(path):
    """Return (rows, provenance) of a folder or a Parquet file; a journal without its Parquet file gives provenance["complete"] = False.

    Raises TapeError if there is no tape, or if it is cut short, out of order or of another schema.
    """
    file = path / TAPE_FILE if path.is_dir() else path
    if file.is_file():
        return _read_parquet(file)
    if (path / JOURNAL_FILE).is_file():
        return _read_journal(path)
    raise TapeError(f"{path}: no tape here: neither {TAPE_FILE} nor {JOURNAL_FILE} is found")


def _write_provenance(folder, provenance):
    part = folder / (PROVENANCE_FILE + ".part")
    part.write_text(json.dumps(provenance, indent=1))
    os.replace(part, folder / PROVENANCE_FILE)


def _journal_groups(path):
    """Yield a journal's whole rows, GROUP_ROWS at a time."""
    row_count = path.stat().st_size // REPORT.itemsize
    for first in range(0, row_count, GROUP_ROWS):
        yield np.fromfile(path, REPORT, count=min(GROUP_ROWS, row_count - first), offset=first * REPORT.itemsize)


def _read_journal(folder):
    journal = folder / JOURNAL_FILE
    rows = np.fromfile(journal, REPORT, count=journal.stat().st_size // REPORT.itemsize)
    try:
        provenance = json.loads((folder / PROVENANCE_FILE).read_text())
    except (OSError, ValueError) as error:
        raise TapeError(f"{folder / PROVENANCE_FILE}: the provenance of {JOURNAL_FILE} cannot be read: {error}") from None
    _check_version(provenance, folder)
    check_order(rows, journal)
    return rows, {**provenance, "complete": False}


def _schema(provenance):
    import pyarrow

    fields = [(name, pyarrow.from_numpy_dtype(REPORT[name])) for name in REPORT.names]
    return pyarrow.schema(fields, metadata={PROVENANCE_KEY: json.dumps(provenance)})


def _write_parquet(folder, groups, provenance):
    """Write REPORT arrays as row groups to a file beside the tape's, then put it in its place."""
    import pyarrow
    from pyarrow import parquet

    schema = _schema({"schema_version": SCHEMA_VERSION, **provenance})
    path, part = folder / TAPE_FILE, folder / (TAPE_FILE + ".part")
    plain = [name for name in REPORT.names if name not in _DELTA_COLUMNS]
    encodings = dict.fromkeys(_DELTA_COLUMNS, "DELTA_BINARY_PACKED")
    try:
        with parquet.ParquetWriter(part, schema, compression="zstd", compression_level=1, use_dictionary=plain, column_encoding=encodings) as writer:
            for rows in groups:
                columns = [pyarrow.array(column) for column in columns_of(rows).values()]
                writer.write_table(pyarrow.table(columns, schema=schema), row_group_size=GROUP_ROWS)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        journal = folder / JOURNAL_FILE
        kept = f"; its {journal.stat().st_size // REPORT.itemsize:,} rows are kept in {journal}" if journal.is_file() else ""
        raise TapeError(f"{path}: the tape cannot be written: {error.strerror or error}{kept}") from error
    return path


def _read_parquet(file):
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as source:
            provenance = _checked_provenance(source.schema_arrow, file)
            rows = np.empty(source.metadata.num_rows, REPORT)
            first = 0
            for batch in source.iter_batches(GROUP_ROWS, columns=list(REPORT.names)):
                _fill_rows(rows[first : first + len(batch)], batch, file)
                first += len(batch)
    except (pyarrow.ArrowException, OSError) as error:
        raise TapeError(f"{file}: not a whole Parquet file: {str(error).splitlines()[0]}") from error
    check_order(rows, file)
    return rows, provenance


def _checked_provenance(schema, file):
    text = (schema.metadata or {}).get(PROVENANCE_KEY)
    if text is None:
        raise TapeError(f"{file}: not a tape: its schema has no {PROVENANCE_KEY.decode()!r} metadata")
    try:
        provenance = json.loads(text)
    except ValueError:
        raise TapeError(f"{file}: its {PROVENANCE_KEY.decode()!r} metadata is not JSON") from None
    _check_version(provenance, file)
    missing = [name for name in REPORT.names if name not in schema.names]
    if missing:
        raise TapeError(f"{file}: column {missing[0]} is missing")
    return provenance


def _check_version(provenance, place):
    version = provenance.get("schema_version") if isinstance(provenance, dict) else None
    if version != SCHEMA_VERSION:
        raise TapeError(f"{place}: schema version must be {SCHEMA_VERSION}, was {version}")


def _fill_rows(rows, batch, file):
    import pyarrow

    columns = {}
    for name in REPORT.names:
        column = batch.column(name)
        if column.null_count or not pyarrow.types.is_integer(column.type) or not np.can_cast(str(column.type), REPORT[name]):
            raise TapeError(f"{file}: column {name} must be {REPORT[name]} without nulls, was {column.type} with {column.null_count} nulls")
        columns[name] = column.to_numpy()
    fill_rows(rows, columns)
