"""Tables: who made and lost what, and the markouts of each maker, for the terminal."""
from rich import box
from rich.table import Table
from rich.text import Text

from lob.instrument import MICROTICKS

AGENTS_MAX = 12
BOOKS_MAX = 3  # inventories beside each other
SUMS = ("fills", "spread_half_ticks", "drift_half_ticks", "fees_microticks", "pnl_ticks")


def agents_table(profits, books=("0",), agents_max=AGENTS_MAX):
    """Return the rich table of a profit_everywhere frame, most profitable first, in ticks x lots: pnl = spread + drift - fees.

    Spread is what its fills earned or paid against the mid, drift what the mid did to its inventory afterwards.
    The recorded flow of a day is no agent and has no line. With more than `agents_max` agents, those that are not makers share one line a kind,
    and if that does not help the makers too. books: what the venues are called, whose inventories are told one by one.
    """
    where = f"; inventory at {', '.join(books)}" if 1 < len(books) <= BOOKS_MAX else ""
    table = _table(f"who made and lost what, in ticks x lots{where}", "agent", ("fills", "inventory", "spread", "drift", "fees", "pnl"))
    for line in _agent_lines(profits, agents_max):
        table.add_row(
            line["agent"], f"{line['fills']:,}", _inventory(line["inventory_lots"]),
            _money(line["spread_half_ticks"], 2), _money(line["drift_half_ticks"], 2), _money(line["fees_microticks"], MICROTICKS),
            _money(line["pnl_ticks"], 1, is_result=True),
        )
    return table


def _inventory(lots):
    return " / ".join(f"{number:,}" for number in lots) if len(lots) <= BOOKS_MAX else Text("-", style="dim")


def _money(value, divisor, is_result=False):
    """Return an amount in whole ticks x lots, short enough for a column: above a million in millions."""
    if value is None:
        return Text("-", style="dim")
    amount = value / divisor
    text = f"{amount:,.0f}" if abs(amount) < 999_999.5 else f"{amount / 1e6:,.3f}M"
    return Text("0" if text == "-0" else text, style="bold red" if is_result and amount < 0 else "bold" if is_result else "")


def _agent_lines(profits, agents_max):
    import polars as pl

    lines = profits.filter(pl.col("role") != "recorded")
    if lines.height > agents_max:
        crowd = lines.filter(pl.col("role") != "maker") if (lines["role"] != "maker").any() else lines
        kept = lines.join(crowd, on="owner", how="anti")
        if kept.height > agents_max:
            crowd, kept = lines, lines.clear()
        held = [pl.col("inventory_lots").list.get(i).sum().alias(f"{i}") for i in range(crowd["inventory_lots"].list.len().max() or 0)]
        by_kind = crowd.group_by("kind", maintain_order=True).agg(pl.len().alias("agents"), pl.col(SUMS).sum(), pl.concat_list(held).alias("inventory_lots"))
        name = pl.when(pl.col("agents") > 1).then(pl.format("{} × {}", "agents", "kind")).otherwise("kind").alias("agent")
        shown = ("inventory_lots", *SUMS)
        lines = pl.concat([kept.select("agent", *shown), by_kind.select(name, *shown)])
    return lines.sort("pnl_ticks", descending=True, nulls_last=True).iter_rows(named=True)


def markouts_table(table, line="agent"):
    """Return the rich table of a markout table: one section a maker, one row a horizon, in ticks per lot."""
    result = _table("markouts of maker fills, in ticks per lot", line, ("horizon", "fills", "effective", "realised", "impact", "std. error"))
    previous = None
    for row in table.iter_rows(named=True):
        name = row[line] if row[line] != previous else ""
        if name and previous is not None:
            result.add_section()
        previous = row[line]
        cells = [_cell(row[key]) for key in ("effective", "realised", "impact", "standard_error")]
        result.add_row(name, f"{row['horizon_s']:g} s", f"{row['fills']:,}", *cells)
    return result


def _table(title, first, columns):
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _cell(value):
    return Text("-", style="dim") if value is None else _signed(value, ".3f")


def _signed(value, form):
    return Text(f"{value:{form}}", style="red" if value < 0 else "")
