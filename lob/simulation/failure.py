"""Failures: where in an agent's own file an error arose.

Owns the search for that line. An error of plain Python has it in its traceback, one that native code raises by itself may not: then the same simulation runs
again with that one agent as plain Python, which does the same and fails in the same call, and says where.
"""
import traceback

from lob.errors import AgentError
from lob.jit import PACKAGE, STANDARD_LIBRARY

AGAIN_REQUESTS_MAX = 3_000_000  # a simulation that took longer is not run again


class Nowhere:
    """Takes the rows of a run that nobody asks for."""

    row_count = 0

    def append(self, rows):
        self.row_count += len(rows)


def line_of(error):
    """Return " (file, line n)" of the innermost call of an error that is neither the package's nor a library's, None if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    foreign = (str(PACKAGE), STANDARD_LIBRARY)
    own = [frame for frame in frames if not frame.filename.startswith(foreign) and "site-packages" not in frame.filename]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else None


def line_when_plain(world, make):
    """Return where the hook that has just failed in a world fails as plain Python, "" if that cannot be told.

    make: makes the same Simulation anew, but that agents of these owners are plain.
    """
    owner = int(world.agents["owner"][world["current_agent"]])
    if world["request_count"] > AGAIN_REQUESTS_MAX or int(world.agents["python_hooks"][owner]):
        return ""
    again = make({owner})
    try:
        again._advance_slice(world["now_ns"], Nowhere(), [])
    except AgentError as error:
        same = all(again.world[name] == world[name] for name in ("current_agent", "current_hook", "now_ns", "request_count"))
        return (line_of(error.__cause__) if same and error.__cause__ else None) or ""
    return ""
