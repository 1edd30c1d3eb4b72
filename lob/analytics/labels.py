"""Labels: what a tape's provenance calls its owners."""
import numpy as np

from lob.messages import NOBODY

RECORDED = {"agent": "recorded", "kind": "recorded", "role": "recorded"}


def labels_of(tape, owner):
    """Return {"agent", "kind", "role"} of an owner: its agent's, "recorded" for owner 0, "unknown" for whom the provenance leaves out."""
    agent = tape.agents.get(owner)
    if agent is not None:
        return {"agent": agent["name"], "kind": agent["kind"], "role": agent.get("role") or agent["kind"]}
    return RECORDED if owner == NOBODY else {"agent": f"owner-{owner}", "kind": "unknown", "role": "unknown"}


def label_column(tape, owners, key):
    """Return one label of each owner in an array: a polars Enum, its words in order of owner."""
    import polars

    unique, index = np.unique(owners, return_inverse=True)
    words = [labels_of(tape, owner)[key] for owner in unique.tolist()]
    codes = {word: code for code, word in enumerate(dict.fromkeys(words))}
    numbers = polars.Series(np.array([codes[word] for word in words], np.uint32)[index])
    return polars.select(numbers.cat.to(polars.Enum(list(codes)))).to_series()
