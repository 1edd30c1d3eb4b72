"""Tape: the rows of one run and where they came from.

Owns the pair of rows and provenance, and its faces as tables. The files are parquet's; what the rows mean is replay's. Whoever holds a
tape needs nothing else to rebuild the book, every account and every statistic.
"""
import hashlib
from bisect import bisect_right
from functools import cached_property
from pathlib import Path

import numpy as np

from lob.errors import TapeError
from lob.instrument import Instrument
from lob.messages import REPORT, Action, CancelReason, RejectReason, ReportKind
from lob.questions import Questions
from lob.tape import parquet
from lob.tape.columns import SCHEMA_VERSION, columns_of

EXECUTIONS = ("live", "passive", "displace", "reactive")


class Tape(Questions):
    """What happened in one run.

    rows: REPORT[n] in time order. provenance: dict with at least `execution`, "live" where every row moves the book; or the rule by which
    agents traded inside a recorded day, "passive", "displace" or "reactive" (docs/execution-rules.md); the rest (scenario, seed, versions, instrument, agents,
    ...) says how it came about.
    """

    def __init__(self, rows, provenance):
        self.rows = np.ascontiguousarray(rows, REPORT)
        self.provenance = {"schema_version": SCHEMA_VERSION, "execution": "live", **provenance}
        self._derived = {}
        if self.execution not in EXECUTIONS:
            raise TapeError(f"provenance execution must be one of {', '.join(EXECUTIONS)}, was {self.execution!r}")

    def __len__(self):
        return len(self.rows)

    def __repr__(self):
        return f"Tape({self.provenance.get('scenario', 'unnamed')!r}, {len(self):,} rows, {self.execution})"

    @property
    def _asked(self):
        return self

    @property
    def execution(self):
        """How agents meet the book: one of EXECUTIONS."""
        return self.provenance["execution"]

    @property
    def start_ns(self):
        """The time from which the tape is a market: its first row's or, where rows before it only build the book of a recorded day, the start of the run."""
        first_ns = int(self.rows["time_ns"][0]) if len(self) else 0
        return max(first_ns, min(self.provenance.get("start_ns") or first_ns, self.end_ns))

    @property
    def end_ns(self):
        """The time up to which the tape is known: the end of the run, or the last row of a run that was cut short."""
        last_ns = int(self.rows["time_ns"][-1]) if len(self) else 0
        whole = self.provenance.get("complete", False) and self.provenance.get("end_ns") is not None
        return max(last_ns, self.provenance["end_ns"]) if whole else last_ns

    @property
    def instrument(self):
        """The instrument of the run, of its first venue where there are several; without one on record, the default Instrument."""
        return self.instrument_of(0)

    def instrument_of(self, book):
        """Return what trades in a book; without an Instrument on record, that of the run."""
        venues = self.provenance.get("venues")
        own = venues[book].get("instrument") if venues and book < len(venues) else None
        return Instrument(**(own or self.provenance.get("instrument", {})))

    @property
    def agents(self):
        """The agents of the run by owner: {owner: {"owner", "name", "kind", "role", "parameters"}}."""
        return {agent["owner"]: agent for agent in self.provenance.get("agents", [])}

    @property
    def books(self):
        """What the venues of the run are called, by the number of their book: {book: name}; without a name, its number."""
        names = [venue["name"] for venue in self.provenance.get("venues", [])]
        return dict(enumerate(names or map(str, range(self.provenance.get("books", 1)))))

    def venue_settings(self, book):
        """Return how a book was set up, in the plain form of a Venue."""
        venues = self.provenance.get("venues")
        return venues[book]["venue"] if venues and book < len(venues) else self.provenance.get("venue", {})

    def latency_of(self, owner, book=0):
        """Return the latency of an agent's links to a book, in the plain form of a Latency; None where the tape does not say."""
        agent = self.agents.get(owner, {})
        return next((link["latency"] for link in agent.get("venues", []) if link["book"] == book), agent.get("latency"))

    def rows_until(self, time_ns):
        """Return the rows with times up to and including `time_ns`; None stands for all of them."""
        return self.rows if time_ns is None else self.rows[: bisect_right(self.rows["time_ns"], time_ns)]

    def derived(self, make, *arguments):
        """Return make(self, *arguments), computed at the first call and kept with the tape: what several analyses start from."""
        key = (make, *arguments)
        if key not in self._derived:
            self._derived[key] = make(self, *arguments)
        return self._derived[key]

    @cached_property
    def sha256(self):
        """The SHA-256 of the rows' raw bytes, as hexadecimal text."""
        return hashlib.sha256(self.rows.view(np.uint8).data).hexdigest()

    def to_polars(self, names=False):
        """Return the rows as a polars frame, one column a REPORT field; with `names`, kind, action and reason as words (Enum).

        A number without a word, as a rejected request may carry, becomes its digits.
        """
        import polars

        frame = polars.DataFrame(columns_of(self.rows))
        return frame.with_columns(_words(polars)) if names else frame

    def to_pandas(self, names=False):
        """Return the rows as a pandas frame; see to_polars."""
        import pandas

        if names:
            return self.to_polars(names=True).to_pandas()
        return pandas.DataFrame(columns_of(self.rows))

    @classmethod
    def read(cls, path):
        """Return the tape of a folder or a Parquet file, or what a killed run has left in its folder.

        Raises TapeError if there is none, or if it is cut short, out of order or of another schema.
        """
        return cls(*parquet.read(Path(path)))

    def write(self, folder):
        """Write FOLDER/tape.parquet and return its path; raises TapeError if the disk is full."""
        return parquet.write(Path(folder), self.rows, self.provenance)


def _words(polars):
    """Return the expressions that turn numbers into words: each column an Enum whose n-th word is the name of the number n."""
    tables = {"kind": ReportKind, "action": Action, "reason": (*RejectReason, *CancelReason)}
    names = {column: {member.value: member.name for member in members} for column, members in tables.items()}
    return [polars.col(column).cat.to(polars.Enum([words.get(number, str(number)) for number in range(256)])) for column, words in names.items()]
