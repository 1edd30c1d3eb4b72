"""Labels: what a tape's provenance calls its owners, and the classes that numbers are sorted into."""
import numpy as np

from lob.jit import jit
from lob.messages import NOBODY

RECORDED = {"agent": "recorded", "kind": "recorded", "role": "recorded"}


def labels_of(tape, owner):
    """Return {"agent", "kind", "role"} of an owner: its agent's, "recorded" for owner 0, "unknown" for whom the provenance leaves out."""
    agent = tape.agents.get(owner)
    if agent is not None:
        return {"agent": agent["name"], "kind": agent["kind"], "role": agent.get("role") or agent["kind"]}
    return RECORDED if owner == NOBODY else {"agent": f"owner-{owner}", "kind": "unknown", "role": "unknown"}


def label_column(tape, owners, key, among=None):
    """Return one label of each owner in an array: a polars Enum, its words in order of owner; those of `among`, which holds all owners, if it is given."""
    import polars

    unique, index = _numbered(owners, owners if among is None else among)
    words = [labels_of(tape, owner)[key] for owner in unique.tolist()]
    codes = {word: code for code, word in enumerate(dict.fromkeys(words))}
    numbers = polars.Series(np.array([codes[word] for word in words], np.uint32)[index])
    return polars.select(numbers.cat.to(polars.Enum(list(codes)))).to_series()


def _numbered(owners, among):
    """Return (the different owners, sorted; the place of each owner among them)."""
    if len(among) == 0 or among.min() < 0 or among.max() > 2**22:
        unique = np.unique(among)
        return unique, np.searchsorted(unique, owners)
    is_there = np.bincount(among) > 0
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[owners]


def class_column(values, edges, words, is_known=None):
    """Return the class of each number: a polars Enum, word i for edges[i - 1] <= value < edges[i]; null where it is not known."""
    import polars

    classes = polars.Series(_class_numbers(values, np.array(edges))).cat.to(polars.Enum(list(words)))
    return classes if is_known is None else polars.select(polars.when(polars.Series(is_known)).then(classes)).to_series()


@jit
def _class_numbers(values, edges):
    """Return how many edges are not above each value; they are so few that a walk along them is faster than a search."""
    found = np.empty(len(values), np.uint32)
    for i in range(len(values)):
        k = 0
        while k < len(edges) and not values[i] < edges[k]:
            k += 1
        found[i] = k
    return found
