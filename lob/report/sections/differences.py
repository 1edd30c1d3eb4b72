"""Differences: two runs in numbers, one beside the other."""
from math import hypot

from lob.analytics.quotes import two_sided
from lob.analytics.trades import trades
from lob.instrument import MICROTICKS
from lob.report.numbers import UNKNOWN, number
from lob.report.parts import Column, Section, Table
from lob.report.subject import HORIZON_NS


def section(first, second):
    """Return the first screen of a comparison."""
    lead = f"A is {first.title}; B is {second.title}. In focus: {first.focus_name or 'nobody'} and {second.focus_name or 'nobody'}."
    columns = [Column("", is_text=True), Column("unit", is_text=True), Column("A"), Column("B"), Column("B − A")]
    facts = [_facts(subject) for subject in (first, second)]
    money, rest = ([_row(name, *form, *facts) for name, form in names.items()] for names in (MONEY, REST))
    caption = "A dash: the tape cannot tell. After ±: one standard error, that of the difference as if the runs had nothing in common."
    tables = [
        Table("differences", "What it made", caption, columns, money, signed=(4,)),
        Table("circumstances", "In which market", "", columns, rest),
    ]
    return Section("compared", "A and B", f"{first.title} beside {second.title}", lead, tables)


# name: unit, digits.
MONEY = {
    "profit": ("ticks × lots", 0), "profit a lot": ("ticks", 3), "spread": ("ticks × lots", 0), "adverse selection, 1 s": ("ticks × lots", 0),
    "inventory after that": ("ticks × lots", 0), "fees": ("ticks × lots", 0), "realised spread, 1 s": ("ticks a lot", 3),
}
ERRORS = {"realised spread, 1 s": "its standard error"}
REST = {
    "fills": ("its own", 0), "lots": ("its own", 0), "fills on stale quotes": ("%", 1), "cancels too late": ("%", 2),
    "trades": ("of the market", 0), "lots traded": ("of the market", 0), "spread, mean of touches": ("ticks", 2), "rows": ("of the tape", 0),
}


def _row(name, unit, digits, first, second):
    a, b = first[name], second[name]
    errors = [facts[ERRORS[name]] if name in ERRORS else None for facts in (first, second)]
    difference = UNKNOWN if a is None or b is None else number(b - a, digits, sign=True)
    both = None if None in errors else hypot(*errors)
    words = zip((number(a, digits), number(b, digits), difference), (*errors, both), strict=True)
    return [name, unit, *(word if error is None else f"{word} ± {number(error, digits)}" for word, error in words)]


def _facts(subject):
    """Return {name: number or None} of a run."""
    traded, touches = trades(subject.tape, subject.book), two_sided(subject.tape, subject.book)
    facts = dict.fromkeys([*MONEY, *ERRORS.values(), *REST]) | {"trades": len(traded), "lots traded": int(traded["lots"].sum()), "rows": len(subject.tape)}
    if len(touches):
        facts["spread, mean of touches"] = float((touches["best_ask_ticks"] - touches["best_bid_ticks"]).mean())
    return facts | _focus_facts(subject) if subject.focus is not None else facts


def _focus_facts(subject):
    import polars as pl

    lines = subject.parts.filter(pl.col("owner") == subject.focus)
    lots = lines["lots"].sum()
    facts = {"fills": lines["fills"].sum(), "lots": lots}
    if not lines["pnl_microticks"].null_count():
        pnl = lines["pnl_microticks"].sum() / MICROTICKS
        facts |= {"profit": pnl, "profit a lot": pnl / lots if lots else None, "fees": -lines["fees_microticks"].sum() / MICROTICKS}
        halves = {"spread": "spread_half_ticks", "adverse selection, 1 s": "adverse_half_ticks", "inventory after that": "inventory_half_ticks"}
        facts |= {name: (-1 if "adverse" in name else 1) * lines[column].sum() / 2 for name, column in halves.items()}
    judged = subject.markouts([subject.focus]).filter(pl.col("horizon_ns") == HORIZON_NS)
    if judged.height:
        facts |= {"realised spread, 1 s": judged["realised"][0], "its standard error": judged["standard_error"][0]}
    for name, frame, column in (("fills on stale quotes", subject.latency.quotes, "stale_share"), ("cancels too late", subject.latency.cancels, "lost_share")):
        mine = frame.filter(pl.col("agent").cast(pl.String) == subject.focus_name)
        facts |= {name: 100 * mine[column][0]} if mine.height else {}
    return facts
