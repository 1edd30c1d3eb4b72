"""Worst: the fills that lost most, and the book around each, event by event."""
from lob.analytics.scenes import AFTER, BEFORE, scenes, worst_fills
from lob.messages import CancelReason, Flag, Phase, RejectReason, ReportKind
from lob.report.numbers import clock, count, duration, number, percent
from lob.report.parts import Column, Live, Section, Table

ROWS_A_STEP = 4
SIDES = {1: "buy", -1: "sell"}
STATUSES = ("trading is halted", "orders collect", "trading is continuous")
# What the book itself says, from a row's price, its lots and where.
OF_THE_BOOK = {
    ReportKind.STATUS: lambda price, lots, at: STATUSES[price] if price in range(len(STATUSES)) else "the phase changes",
    ReportKind.PHASE: lambda price, lots, at: f"the book is in {Phase(price).name.lower().replace('_', ' ')}" if price in set(Phase) else "the phase changes",
    ReportKind.AUCTION: lambda price, lots, at: f"an auction trades {lots}{at}",
    ReportKind.INDICATIVE: lambda price, lots, at: f"an auction now would trade {lots}{at}",
}


def section(subject):
    """Return the table of the worst fills, and their replay."""
    name = subject.focus_name or "the agent"
    lead = f"The fills at rest of {name} that had lost most one second later, and what the book did around them. Choose one to see it step by step."
    if subject.focus is None:
        return Section("worst", "Worst fills", "The worst fills", lead,
            [Table("worst-fills", "The worst fills", "", note="No agent traded on this tape, so no fill was bad.")])
    worst = worst_fills(subject.tape, subject.focus, book=subject.book)
    if worst.height == 0:
        note = f"No fill at rest of {name} was under water one second later, as far as the tape tells."
        return Section("worst", "Worst fills", "The worst fills", lead, [Table("worst-fills", "The worst fills", "", note=note)])
    return Section("worst", "Worst fills", "The worst fills", lead, [_table(subject, worst), _replay(subject, worst)])


def _table(subject, worst):
    columns = [
        Column("fill", is_text=True), Column("time", is_text=True), Column("", is_text=True), Column("price", "ticks"), Column("lots"),
        Column("lost after 1 s", "ticks × lots"), Column("a lot", "ticks"), Column("taken by", is_text=True), Column("order's age"),
        Column("ahead at entry", "lots"),
        Column("own queue", "of both"),
    ]
    rows = [
        [
            f"{k}", clock(line["time_ns"]), "bought" if line["side"] > 0 else "sold", number(line["price_ticks"]), number(line["lots"]),
            number(line["loss_ticks"], 1),
            number(line["loss_ticks"] / line["lots"], 1), subject.name_of(line["counterparty"]), duration(line["age_ns"]), number(line["lots_ahead"]),
            percent(line["own_share"]),
        ]
        for k, line in enumerate(worst.iter_rows(named=True), 1)
    ]
    caption = (
        "Own queue: the lots at its price over the lots of both best queues just before the fill; a short own queue is a warning that was there to be "
        "read."
    )
    return Table("worst-fills", "The worst fills", caption, columns, rows)


def _replay(subject, worst):
    found = scenes(subject.tape, worst["sequence"].to_list(), book=subject.book)
    data = [_scene(subject, line, *scene) for line, scene in zip(worst.iter_rows(named=True), found, strict=True)]
    caption = (
        f"The displayed book after each event, {BEFORE} events before the fill to {AFTER} after it. Times are from the fill. A row of an event in bold is "
        "the agent's own."
    )
    return Live("replay", "replay", "The book around the fill", caption, {"scenes": data, "agent": subject.focus_name})


def _scene(subject, line, steps, middle):
    side, price = int(line["side"]), int(line["price_ticks"])
    return {
        "title": f"{'Bought' if side > 0 else 'Sold'} {count(line['lots'], 'lot')} at {number(price)} {'from' if side > 0 else 'to'} "
        f"{subject.name_of(line['counterparty'])}, "
                 f"{clock(line['time_ns'])}; {number(line['loss_ticks'], 1)} ticks × lots lost after 1 s",
        "time_s": (int(line["time_ns"]) - subject.tape.start_ns) / 1e9, "price": price, "side": side, "middle": middle,
        "steps": [_step(subject, step, line["time_ns"]) for step in steps],
    }


def _step(subject, step, fill_ns):
    rows = step.rows
    words = [(_words(subject, row), int(row["owner"]) == subject.focus or int(row["resting_owner"]) == subject.focus) for row in rows[:ROWS_A_STEP]]
    if len(rows) > ROWS_A_STEP:
        words.append((f"and {count(len(rows) - ROWS_A_STEP, 'row')} more of this event", False))
    gap_ns = int(rows["time_ns"][-1]) - fill_ns
    when = "the fill" if gap_ns == 0 else f"{duration(abs(gap_ns))} {'before' if gap_ns < 0 else 'after'}"
    return {
        "when": when, "words": [[text, int(is_own)] for text, is_own in words],
        "bids": [[int(level["price_ticks"]), int(level["lots"]), int(level["orders"])] for level in step.bids],
        "asks": [[int(level["price_ticks"]), int(level["lots"]), int(level["orders"])] for level in step.asks],
    }


def _words(subject, row):
    """Return one row of the tape as a sentence."""
    kind, side = int(row["kind"]), SIDES.get(int(row["side"]), "")
    lots, price = number(int(row["lots"])), number(int(row["price_ticks"]))
    at = f" at {price}" if row["price_ticks"] else " at market"
    if kind in OF_THE_BOOK:
        return OF_THE_BOOK[kind](int(row["price_ticks"]), lots, at)
    name = subject.name_of(int(row["owner"]))
    if kind == ReportKind.FILL:
        return f"{name} {side}s {lots}{at} from {subject.name_of(int(row['resting_owner']))}" if row["side"] > 0 else \
            f"{name} {side}s {lots}{at} to {subject.name_of(int(row['resting_owner']))}"
    if kind == ReportKind.ACCEPTED:
        hidden = " (hidden)" if row["flags"] & Flag.HIDDEN else ""
        return f"{name}: new order to {side} {lots}{at}{hidden}" + (f", {number(int(row['lots_ahead']))} ahead" if row["lots_ahead"] else "")
    if kind in (ReportKind.CANCELLED, ReportKind.REDUCED):
        return f"{name}: {lots} of its {side} order{at} {_gone(kind, int(row['reason']))}"
    if kind == ReportKind.REPLACED:
        return f"{name}: {side} order moved, now {lots}{at}"
    if kind == ReportKind.REJECTED:
        reason = int(row["reason"])
        return f"{name}: refused, {RejectReason(reason).name.lower().replace('_', ' ') if reason in set(RejectReason) else reason}"
    return f"{name}: {ReportKind(kind).name.lower()} {side} {lots}{at}"


def _gone(kind, reason):
    if reason == CancelReason.ASKED:
        return "cancelled" if kind == ReportKind.CANCELLED else "taken off"
    if reason == CancelReason.REPLACED:
        return "taken out to be moved"
    return f"gone, {CancelReason(reason).name.lower().replace('_', ' ')}" if reason in set(CancelReason) else "gone"
