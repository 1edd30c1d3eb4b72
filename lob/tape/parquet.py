"""Parquet: the files of a tape.

Owns FOLDER/tape.parquet, and what a run keeps while it goes on: FOLDER/tape.parquet.part, that file without its footer, and FOLDER/tape.groups, what the footer
will say of the row groups that are in it; both beside FOLDER/provenance.json. Groups are only ever appended, first to the one and then to the other, so
whatever stops a run leaves every group before it readable. When the run ends the footer is written: memory does not grow with the tape. Knows no market.
"""
import hashlib
import io
import json
import os
import struct
from pathlib import Path

import numpy as np

from lob.errors import TapeError
from lob.messages import REPORT
from lob.tape import footer
from lob.tape.columns import SCHEMA_VERSION, check_order, fill_rows
from lob.tape.pages import GROUP_ROWS, Pages
from lob.tape.provenance import check_provenance

TAPE_FILE = "tape.parquet"
PART_FILE = "tape.parquet.part"
GROUPS_FILE = "tape.groups"
PROVENANCE_FILE = "provenance.json"
PROVENANCE_KEY = b"lob"
READ_ROWS = 2**20
ENTRY = struct.Struct("<4q")  # before what is said of row groups: their number, the rows and the bytes of the file up to their end, how many bytes are said


class TapeWriter:
    """The growing tape of a running simulation.

    Attribute: row_count, the rows kept so far. A tape that is already in the folder is replaced.
    Raises TapeError if the folder cannot be made or written.
    """

    def __init__(self, folder, provenance):
        self.folder = Path(folder)
        self.row_count, self._file_bytes, self._groups_bytes = 0, len(footer.MAGIC), 0
        self._path, self._part, self._groups = (self.folder / name for name in (TAPE_FILE, PART_FILE, GROUPS_FILE))
        self._closed, self._digest = None, None  # of the closed file: its row groups, where they are said and in how many bytes, and which file it is
        self._pages = Pages([footer.column_metadata(name) for name in REPORT.names])
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            _write_provenance(self.folder, {"schema_version": SCHEMA_VERSION, **provenance})
            self._part.write_bytes(footer.MAGIC)
            self._groups.write_bytes(b"")
        except OSError as error:
            raise TapeError(f"{self.folder}: no tape can be written here: {error.strerror}") from error

    @property
    def sha256(self):
        """The SHA-256 of the rows kept so far, as hexadecimal text. It is computed from the file: TapeError if that is another's by now."""
        if self._digest is None or self._digest[0] != self.row_count:
            if self._closed and self._closed[-1] != _identity(self._path):
                raise TapeError(f"{self._path}: it is not the tape that this run wrote, but a later one")
            digest = hashlib.sha256()
            for rows in _batches(self._path) if self._closed else [_read_growing(self.folder)[0]]:
                digest.update(rows.view(np.uint8).data)
            self._digest = self.row_count, digest.hexdigest()
        return self._digest[1]

    def append(self, rows):
        """Add rows, REPORT[n], a row group at a time.

        Raises TapeError if the disk refuses; the whole groups written until then are kept.
        """
        rows = np.ascontiguousarray(rows, REPORT)
        for first in range(0, len(rows), GROUP_ROWS):
            self._append_group(rows[first : first + GROUP_ROWS])

    def _append_group(self, rows):
        pages, said = self._pages.of(rows, self._file_bytes)
        row_count, file_bytes = self.row_count + len(rows), self._file_bytes + len(pages)
        entry = ENTRY.pack(1, row_count, file_bytes, len(said)) + said
        try:
            _append(self._part, self._file_bytes, pages)
            _append(self._groups, self._groups_bytes, entry)
        except OSError as error:
            raise TapeError(f"{self._part}: {error.strerror}; the tape is kept up to row {self.row_count:,}") from error
        self.row_count, self._file_bytes, self._groups_bytes = row_count, file_bytes, self._groups_bytes + len(entry)

    def close(self, provenance):
        """Write the footer, which makes the file whole, and return its path.

        Raises TapeError if the disk is full; then what is kept stays, and Tape.read finds its rows.
        """
        group_count, _, _, said = _kept(self._groups.read_bytes(), self._file_bytes)
        words = json.dumps({"schema_version": SCHEMA_VERSION, **provenance}).encode()
        ending = footer.whole(self.row_count, group_count, said, PROVENANCE_KEY, words)
        try:
            _append(self._part, self._file_bytes, ending)
            os.replace(self._part, self._path)
        except OSError as error:
            kept = f"its {self.row_count:,} rows are kept in {self._part}"
            raise TapeError(f"{self._path}: the tape cannot be written: {error.strerror}; {kept}") from error
        said_at = self._file_bytes + len(footer.before_groups(self.row_count, group_count))
        self._closed = group_count, said_at, len(said), _identity(self._path)
        for leftover in (GROUPS_FILE, PROVENANCE_FILE):
            (self.folder / leftover).unlink(missing_ok=True)
        return self._path

    def reopen(self, provenance):
        """Take the footer off again, so that more rows can be added; nothing is done if it is not there. Raises TapeError if that cannot be."""
        if self._closed is None:
            return
        group_count, said_at, said_bytes, identity = self._closed
        try:
            if _identity(self._path) != identity:
                raise TapeError(f"{self._path}: a run cannot go on: it is not the tape that this run wrote, but a later one")
            with open(self._path, "r+b") as file:
                file.seek(said_at)
                entry = ENTRY.pack(group_count, self.row_count, self._file_bytes, said_bytes) + file.read(said_bytes)
                _write_provenance(self.folder, {"schema_version": SCHEMA_VERSION, **provenance})
                self._groups.write_bytes(entry)
                file.truncate(self._file_bytes)
            os.replace(self._path, self._part)
        except OSError as error:
            raise TapeError(f"{self._path}: a run cannot go on: {error.strerror}") from error
        self._groups_bytes, self._closed = len(entry), None


def _identity(path):
    """Return what tells a file from another that took its place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _append(path, at_bytes, data):
    """Write at an offset, the end of the file but for what a failure left there; a failure leaves nothing."""
    with open(path, "r+b", buffering=0) as file:
        file.seek(at_bytes)
        written = 0
        try:
            while written < len(data):
                written += file.write(data[written:])
        finally:
            if written < len(data):
                file.truncate(at_bytes)


def _kept(data, file_bytes):
    """Return (row groups, rows, bytes of the file up to their end, what is said of them) that the bytes of FOLDER/tape.groups know and a file so long holds."""
    at, group_count, row_count, end, said = 0, 0, 0, len(footer.MAGIC), []
    while at + ENTRY.size <= len(data):
        groups, rows, entry_end, said_bytes = ENTRY.unpack_from(data, at)
        at += ENTRY.size + said_bytes
        if at > len(data) or entry_end > file_bytes:
            break
        said.append(data[at - said_bytes : at])
        group_count, row_count, end = group_count + groups, rows, entry_end
    return group_count, row_count, end, b"".join(said)


def write(folder, rows, provenance):
    """Write FOLDER/tape.parquet from REPORT[n] and return its path; raises TapeError if it cannot be written."""
    writer = TapeWriter(folder, provenance)
    writer.append(rows)
    return writer.close(provenance)


def read(path):
    """Return (rows, provenance) of a folder or a Parquet file; of a run that did not end, what it kept, with provenance["complete"] = False.

    Raises TapeError if there is no tape, or if it is cut short, out of order or of another schema.
    """
    file = path / TAPE_FILE if path.is_dir() else path
    if file.is_file():
        return _read_parquet(file, file)
    if (path / GROUPS_FILE).is_file():
        return _read_growing(path)
    raise TapeError(f"{path}: no tape here: neither {TAPE_FILE} nor {GROUPS_FILE} is found")


def _write_provenance(folder, provenance):
    part = folder / (PROVENANCE_FILE + ".part")
    part.write_text(json.dumps(provenance, indent=1))
    os.replace(part, folder / PROVENANCE_FILE)


def _read_growing(folder):
    """Return the rows of a run that did not end: its file, with the footer that it would have."""
    try:
        provenance = json.loads((folder / PROVENANCE_FILE).read_text())
    except (OSError, ValueError) as error:
        raise TapeError(f"{folder / PROVENANCE_FILE}: the provenance of {PART_FILE} cannot be read: {error}") from None
    _check_version(provenance, folder)
    data = (folder / PART_FILE).read_bytes()
    group_count, row_count, end, said = _kept((folder / GROUPS_FILE).read_bytes(), len(data))
    whole = data[:end] + footer.whole(row_count, group_count, said, PROVENANCE_KEY, json.dumps(provenance).encode())
    rows, provenance = _read_parquet(folder / PART_FILE, io.BytesIO(whole))
    return rows, {**provenance, "complete": False}


def _batches(path):
    """Yield the rows of a file that is known to be whole, REPORT[n] at a time."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(READ_ROWS):
            rows = np.empty(len(batch), REPORT)
            _fill_rows(rows, batch, path)
            yield rows


def _read_parquet(place, source):
    """Return (rows, provenance) of a Parquet file, given by its path or open; `place` is what errors call it."""
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(source) as file:
            provenance = _checked_provenance(file, place)
            rows, first = np.empty(file.metadata.num_rows, REPORT), 0
            for batch in file.iter_batches(READ_ROWS, columns=list(REPORT.names)):
                _fill_rows(rows[first : first + len(batch)], batch, place)
                first += len(batch)
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError, OverflowError) as error:  # ValueError: a damaged name that is no text, among others
        raise TapeError(f"{place}: not a whole Parquet file: {(str(error) or repr(error)).splitlines()[0]}") from error
    check_order(rows, place)
    return rows, provenance


def _checked_provenance(file, place):
    # As the footer has it: an Arrow schema knows only what a writer of Arrow put there too, and polars does not.
    text = (file.metadata.metadata or {}).get(PROVENANCE_KEY)
    if text is None:
        raise TapeError(f"{place}: not a tape: its footer has no {PROVENANCE_KEY.decode()!r} metadata")
    try:
        provenance = json.loads(text)
    except ValueError:
        raise TapeError(f"{place}: its {PROVENANCE_KEY.decode()!r} metadata is not JSON") from None
    _check_version(provenance, place)
    check_provenance(provenance, place)
    missing = [name for name in REPORT.names if name not in file.schema_arrow.names]
    if missing:
        raise TapeError(f"{place}: column {missing[0]} is missing")
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
