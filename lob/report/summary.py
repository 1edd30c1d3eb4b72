"""Summary: a run as one JSON object, and as what the terminal shows. Owns the words of that object; computes nothing itself."""
from collections import Counter

from lob.analytics.markouts import fill_markouts_everywhere, markouts
from lob.analytics.profit import profit_everywhere
from lob.instrument import MICROTICKS
from lob.messages import RejectReason, ReportKind
from lob.report.curve import curve, maker_curves, write_html
from lob.report.tables import agents_table, markouts_table
from lob.report.terminal import terminal_curve
from lob.tape.accounts import worths_of

MARKOUT_COLUMNS = ("horizon_s", "fills", "effective", "realised", "impact", "standard_error")


def summary(run):
    """Return the facts of a run as plain numbers and words.

    Cash, pnl and fees are in ticks x lots, markouts in ticks per lot. Null are: a pnl without any mid on the tape, a markout without a fill of known markout,
    and a standard error of fewer than two blocks of time. requests: orders, cancels and replaces that reached an exchange; deliveries: wake-ups and reports
    that reached an agent. For a recorded day also rows and rows_per_second. inventory: in lots; with several venues lots by venue, {name: lots}, while money is
    added up, all in ticks of the first where one on a lot is not worth the same at each.
    """
    fills = fill_markouts_everywhere(run.tape)
    facts = {
        "scenario": run.provenance["scenario"], "seed": run.provenance["seed"], "execution": run.provenance["execution"], "complete": run.is_complete,
        "requests": run.requests, "deliveries": run.deliveries, "wall_seconds": run.wall_seconds, "requests_per_second": run.requests / run.wall_seconds,
        "tape_rows": len(run.tape), "tape_sha256": run.tape_sha256, "folder": None if run.folder is None else str(run.folder), "agents": _agents(run.tape),
        "markouts": _markouts(run.tape, fills, ["agent"]), "markouts_by_counterparty": _markouts(run.tape, fills, ["agent", "counterparty_kind"]),
    }
    if run.provenance["feed"] is not None:
        seconds = run.wall_seconds
        facts |= {"rows": run.feed_rows, "rows_per_second": run.feed_rows / seconds, "unknown_orders": run.feed_unknown, "feed": run.provenance["feed"]}
    return facts


def _agents(tape):
    """Return every agent's account, those that never traded too; the recorded flow is no agent."""
    return [
        {
            "name": line["agent"], "kind": line["kind"], "fills": line["fills"], "inventory": _inventory(tape, line["inventory_lots"]),
            "cash": line["cash_ticks"], "pnl": line["pnl_ticks"], "fees": line["fees_microticks"] / MICROTICKS,
        }
        for line in profit_everywhere(tape).iter_rows(named=True) if line["owner"] in tape.agents
    ]


def _inventory(tape, lots):
    """Return an inventory as a number, or by venue where there are several."""
    return lots[0] if len(lots) == 1 else dict(zip(tape.books.values(), lots, strict=True))


def unreadable(tape):
    """Return {(owner, reason): count} of the agents' requests that no exchange could have read: a mistake of the agent, not of the market."""
    rows = tape.rows
    refused = rows[(rows["kind"] == ReportKind.REJECTED) & (rows["owner"] > 0) & (rows["reason"] < RejectReason.DUPLICATE_ORDER_ID)]
    return Counter(zip(refused["owner"].tolist(), refused["reason"].tolist(), strict=True))


def _markouts(tape, fills, by):
    makers = [agent["name"] for agent in tape.agents.values() if agent["role"] == "maker"]
    lines = markouts(fills, by=by).iter_rows(named=True)
    return [{name: line[name] for name in (*by, *MARKOUT_COLUMNS)} for line in lines if not makers or line["agent"] in makers]


def show(run, console):
    """Print who made and lost what, the markout table of each maker, and its curve; write the curve's page beside the tape and return its path."""
    rule = f", rule {run.provenance['execution']}" if run.provenance["feed"] is not None else ""
    title = f"{run.provenance['scenario']}, seed {run.provenance['seed']}{rule}"
    console.print(agents_table(profit_everywhere(run.tape), list(run.tape.books.values())))
    if worths_of(run.tape):
        console.print(f"Money and markouts of all venues are in ticks of {run.tape.books[0]}, by what a tick on a lot is worth.")
    for (owner, reason), count in sorted(unreadable(run.tape).items()):
        console.print(f"{run.tape.agents[owner]['name']}: {count:,} requests refused, {RejectReason(reason).name}", style="bold red")
    table, line = maker_curves(run.tape)
    if table["fills"].sum() == 0:
        console.print("No maker was filled, so there is no markout to show.")
        return None
    console.print(markouts_table(table, line), terminal_curve(table, title, line))
    return write_html(curve(table, title, line), run.folder / "markouts.html") if run.folder else None
