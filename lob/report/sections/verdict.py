"""Verdict: the trader's first three questions, answered for the agent in focus: did I make money, where from, and was I picked off?

Owns the sentences, and the table of what everybody made. A yes or a no is only said where two standard errors allow it.
"""
from lob.instrument import MICROTICKS
from lob.report.numbers import clock, count, duration, number, percent, with_error
from lob.report.parts import Card, Cards, Column, Section, Table
from lob.report.subject import EXECUTED, HORIZON_NS

LINES_MAX = 12
SUMS = ("fills", "lots", "spread_half_ticks", "adverse_half_ticks", "inventory_half_ticks", "fees_microticks", "pnl_microticks")


def section(subject):
    """Return the first screen."""
    cards = [_money(subject), _sources(subject), _picked_off(subject)] if subject.focus is not None else [_nobody(subject)]
    return Section("verdict", "Answers", subject.title, _lead(subject), [Cards("verdict", cards), accounts(subject)])


def _lead(subject):
    tape = subject.tape
    if len(tape) == 0:
        return "The tape has no row: nothing happened, so there is nothing to show."
    words = [
        f"{duration(tape.end_ns - tape.start_ns)} from {clock(tape.start_ns, 0)}", count(len(tape), "row"), count(len(tape.agents), "agent"),
        EXECUTED[tape.execution],
    ]
    ending = "" if tape.provenance.get("complete", True) else " The run was stopped early; this is the tape up to there."
    focus = f" In focus: {subject.focus_name}." if subject.focus is not None else ""
    return " · ".join(words) + "." + focus + ending


def _nobody(subject):
    return Card("Did I make money?", "Nobody traded", ["No agent traded on this tape, so there is no profit to explain. What the market did is below."])


def _profit(subject):
    return subject.profits.row(by_predicate=_is(subject.focus), named=True)


def _is(owner):
    import polars as pl

    return pl.col("owner") == owner


def _money(subject):
    line, instrument = _profit(subject), subject.tape.instrument_of(subject.book)
    pnl, lots = line["pnl_ticks"], line["maker_lots"] + line["taker_lots"]
    if pnl is None:
        return Card("Did I make money?", "Not known", ["The tape has no moment with a bid and an ask, so nothing can be valued."])
    money = float(instrument.tick_value) * pnl
    words = [f"ticks × lots, after fees; {number(money, 2)} in money, at {instrument.tick_value} for a tick on a lot."]
    if lots == 0:
        return Card("Did I make money?", "0", ["It never traded: no fill, no profit, no loss."])
    held = line["inventory_lots"]
    ends = "flat" if held == 0 else f"{'long' if held > 0 else 'short'} {count(abs(held), 'lot')}, valued at the last mid"
    words.append(f"{number(pnl / lots, 3, sign=True)} ticks for each of {count(lots, 'lot')} in {count(line['fills'], 'fill')}; it ends {ends}.")
    return Card("Did I make money?", number(pnl, sign=True), words, tone="gain" if pnl > 0 else "loss" if pnl < 0 else "")


def _sources(subject):
    lines = subject.parts.filter(_is(subject.focus))
    if lines["pnl_microticks"].null_count() or lines["fills"].sum() == 0:
        return Card("Where from?", "Nothing to split", ["Without a fill there is no spread, no adverse selection and no fee."])
    bars = []
    for liquidity, words in (("maker", "spread earned at rest"), ("taker", "spread paid as taker")):
        mine = lines.filter(lines["liquidity"] == liquidity)
        if mine["fills"].sum():
            bars.append((words, mine["spread_half_ticks"].sum() / 2))
    bars += [("adverse selection, 1 s", -lines["adverse_half_ticks"].sum() / 2), ("inventory after that", lines["inventory_half_ticks"].sum() / 2)]
    bars += [("fees", -lines["fees_microticks"].sum() / MICROTICKS)]
    total = lines["pnl_microticks"].sum()
    largest = max(bars, key=lambda bar: bar[1] if total >= 0 else -bar[1])
    words = ["The parts add up to the profit, to the last micro-tick, in ticks × lots."]
    answer = f"{'Most gained' if total >= 0 else 'Most lost'}: {largest[0].split(',')[0]}"
    return Card("Where from?", answer, words, bars=[(name, value, number(value, sign=True)) for name, value in bars])


def _picked_off(subject):
    table = subject.markouts([subject.focus])
    lines = table.filter(table["fills"] > 0).rows(named=True)
    if not lines:
        return Card("Was I picked off?", "No fill", ["None of its resting orders was filled while the mid could be followed: nobody could pick it off."])
    answer, tone, worst = _answer(lines)
    left = [
        f"{with_error(line['realised'], line['standard_error'])} is left after {line['horizon_s']:g} s"
        for line in lines if line["horizon_ns"] == HORIZON_NS or line is worst
    ]
    words = f"A fill captured {number(lines[0]['effective'], 2)} ticks a lot; {', '.join(left)}."
    return Card("Was I picked off?", answer, [words, *_losses(subject)], tone=tone)


def _answer(lines):
    """Return (yes or no, its tone, the line that says so): yes from the first horizon at which the mean is two errors below zero."""
    sure = [line for line in lines if line["standard_error"] is not None]
    if not sure:
        return "Too few fills to tell", "", lines[-1]
    below = next((line for line in sure if line["realised"] + 2 * line["standard_error"] < 0), None)
    if below:
        return f"Yes, within {below['horizon_s']:g} s", "loss", below
    if all(line["realised"] - 2 * line["standard_error"] > 0 for line in sure):
        return "No", "gain", sure[-1]
    least = min(sure, key=lambda line: line["realised"] - 2 * line["standard_error"])
    return "Not that it can be told", "", least


def _losses(subject):
    import polars as pl

    fills = subject.fills.filter((pl.col("owner") == subject.focus) & (pl.col("horizon_ns") == HORIZON_NS))
    under = fills["realised_half_ticks"].drop_nulls()
    words = [f"{percent((under < 0).mean())} of {count(len(under), 'fill')} were under water after 1 s."] if len(under) else []
    for frame, sentence in ((subject.latency.quotes, _stale), (subject.latency.cancels, _late)):
        mine = frame.filter(pl.col("agent").cast(pl.String) == subject.focus_name)
        words += [sentence(mine.row(0, named=True))] if mine.height else []
    return words


def _stale(line):
    return f"{percent(line['stale_share'], 1)} hit a quote already stale, faster than its owner can react" + _cost(line) + "."


def _late(line):
    if line["lost"] == 0:
        return "No cancel came too late."
    return f"{count(line['lost'], 'cancel')} of {number(line['requests'])} came too late, by {duration(line['late_ns'])} at the median" + _cost(line) + "."


def _cost(line):
    cost = line["cost_ticks"]
    return "" if cost is None else f"; they {'cost' if cost >= 0 else 'made'} {number(abs(cost))}"


def accounts(subject):
    """Return the table of what every agent made, in the parts of `decomposition`; those that are no makers by kind where they are many."""
    frame = _lines(subject)
    caption = (
        "profit = spread − adverse selection + inventory − fees, exactly. Spread: what fills earned or paid against the mid; adverse selection: what the "
        "mid took back within 1 s; inventory: what the position did after that."
    )
    columns = [
        Column("agent", is_text=True), Column("profit", "ticks × lots"), Column("profit", "ticks a lot"), Column("spread", "ticks × lots"),
        Column("adverse sel.", "ticks × lots"), Column("inventory", "ticks × lots"), Column("fees", "ticks × lots"), Column("fills"), Column("lots"),
        Column("holds", "lots"),
    ]
    note = None if frame.height else "No agent is on this tape."
    rows = [_row(line) for line in frame.iter_rows(named=True)]
    return Table("accounts", "Who made and lost what", caption, columns, rows, note, signed=(1, 2))


def _row(line):
    half = [line[name] if line[name] is None else line[name] / 2 for name in ("spread_half_ticks", "adverse_half_ticks", "inventory_half_ticks")]
    pnl, lots = line["pnl_microticks"], line["lots"]
    pnl = None if pnl is None else pnl / MICROTICKS
    return [
        line["name"], number(pnl), number(pnl / lots if pnl is not None and lots else None, 3), number(half[0]), number(None if half[1] is None else -half[1]),
        number(half[2]), number(-line["fees_microticks"] / MICROTICKS), number(line["fills"]), number(lots), number(line["inventory_lots"]),
    ]


def _lines(subject):
    import polars as pl

    held = subject.profits.select("owner", "inventory_lots")
    lines = subject.parts.group_by("owner", "agent", "kind", "role", maintain_order=True).agg(pl.col(SUMS[:2]).sum(), *(_sum(name) for name in SUMS[2:]))
    lines = lines.join(held, on="owner", how="left").with_columns(pl.col("inventory_lots").fill_null(0))
    if lines.height > LINES_MAX:
        alone = [*subject.few_makers]
        crowd = lines.filter(~pl.col("owner").is_in(alone)).group_by("kind", maintain_order=True)
        sums = crowd.agg(pl.len().alias("agents"), pl.col("fills", "lots", "inventory_lots").sum(), *(_sum(name) for name in SUMS[2:]))
        name = pl.when(pl.col("agents") > 1).then(pl.format("{} × {}", "agents", "kind")).otherwise("kind").alias("name")
        kept = lines.filter(pl.col("owner").is_in(alone)).select(pl.col("agent").alias("name"), *SUMS, "inventory_lots")
        return pl.concat([kept, sums.select(name, *SUMS, "inventory_lots")]).sort("pnl_microticks", descending=True, nulls_last=True)
    return lines.select(pl.col("agent").alias("name"), *SUMS, "inventory_lots").sort("pnl_microticks", descending=True, nulls_last=True)


def _sum(name):
    """Return the sum of a column, null where a part of it is: not zero."""
    import polars as pl

    return pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name)
