"""Money: profit and inventory through time, and the parts of profit side by side."""
import numpy as np

from lob.analytics.equity import MOMENTS, equity
from lob.instrument import MICROTICKS
from lob.report.numbers import number
from lob.report.parts import Chart, Section, layout, line
from lob.report.theme import SERIES

KINDS_MAX, LABELLED_MAX = 5, 3


def section(subject):
    """Return profit and inventory through time, and the decomposition of the makers."""
    curves = _curves(subject)
    pnl = _through_time(
        "pnl", "Profit through time", "profit, ticks × lots", curves, "pnl_ticks", ",.0f",
        "Cash plus inventory at the mid, after fees. A steady climb is a business; steps are single moves of the mid against a position.",
    )
    held = _through_time(
        "inventory", "Inventory through time", "inventory, lots", curves, "inventory_lots", ",",
        "What it held. A maker in control comes back to zero; one that drifts to its limit is quoting one side only, and its profit is a bet.",
    )
    return Section("money", "Money", "Profit and inventory", f"Sampled at {number(MOMENTS)} even moments; click a name in a legend to hide or show it.",
                   [pnl, held, _decomposition(subject)])


def _curves(subject):
    """Return [(name, frame of `equity`, colour, is shown at first)]: the makers one by one, the rest one by one if they are few, else by kind."""
    few = subject.few_makers
    rest = [owner for owner in subject.tape.agents if owner not in few]
    frames = [equity(subject.tape, few, book=subject.book).rename({"agent": "name"})]
    by = "agent" if len(rest) <= KINDS_MAX else "kind"
    frames.append(equity(subject.tape, rest, by, book=subject.book).rename({by: "name"}))
    curves = []
    for k, frame in enumerate(frames):
        for name in frame["name"].unique(maintain_order=True).to_list():
            color = SERIES[len(curves) % len(SERIES)] if k == 0 else "$faint"
            curves.append((name if k == 0 or by == "agent" else f"all {name}", frame.filter(frame["name"] == name), color, k == 0 or not few))
    return curves


def _through_time(name, title, axis, curves, column, form, caption):
    if not curves:
        return Chart(name, title, caption, note="No agent is on this tape, so there is nobody whose account could be drawn.")
    if all(frame[column].null_count() == frame.height for _, frame, _, _ in curves):
        return Chart(name, title, caption, note="The tape has no moment with a bid and an ask, so nothing can be valued.")
    start_ns = int(curves[0][1]["time_ns"][0])
    unit_ns, unit = (60_000_000_000, "minutes") if curves[0][1]["time_ns"][-1] - start_ns > 300_000_000_000 else (1_000_000_000, "seconds")
    traces = []
    for k, (word, frame, color, is_shown) in enumerate(curves):
        x = (frame["time_ns"].to_numpy() - start_ns) / unit_ns
        shape = {"shape": "hv"} if column == "inventory_lots" else {}
        dash = {} if color != "$faint" else {"dash": ("solid", "dot", "dash", "longdash", "dashdot")[k % 5]}
        more = {"hovertemplate": f"%{{y:{form}}} at %{{x:.2f}} {unit}", "visible": True if is_shown else "legendonly"}
        traces.append(line(word, x.astype(np.float32), frame[column].to_list(), color, **more) | {"line": {"color": color, "width": 2} | shape | dash})
    return Chart(name, title, caption, traces, layout(f"{unit} since the start", axis))


def _decomposition(subject):
    title, caption = "Where the profit of each maker came from", (
        "Per lot traded, so that makers of different size compare. Read from the left: spread captured is the pay, adverse selection what the better "
        "informed took back within a second, inventory the luck or the skill after that."
    )
    lines = subject.parts.filter(subject.parts["owner"].is_in(subject.few_makers))
    if lines.height == 0 or lines["fills"].sum() == 0 or lines["pnl_microticks"].null_count():
        return Chart("decomposition", title, caption, note="No maker was filled while there was a mid, so there is no profit to split.")
    words = ["spread", "adverse<br>selection", "inventory", "fees", "profit"]
    traces = []
    for k, owner in enumerate(subject.few_makers):
        mine = lines.filter(lines["owner"] == owner)
        lots = mine["lots"].sum()
        if lots == 0:
            continue
        halves = [mine["spread_half_ticks"].sum() / 2, -mine["adverse_half_ticks"].sum() / 2, mine["inventory_half_ticks"].sum() / 2]
        values = [value / lots for value in (*halves, -mine["fees_microticks"].sum() / MICROTICKS, mine["pnl_microticks"].sum() / MICROTICKS)]
        traces.append({
            "type": "bar", "name": subject.name_of(owner), "x": words, "y": values, "marker": {"color": SERIES[k]}, "hovertemplate": "%{y:+.4f} ticks a lot",
            "text": [number(value, 2, sign=True) if len(subject.few_makers) <= LABELLED_MAX else "" for value in values], "textposition": "outside",
            "cliponaxis": False, "textfont": {"size": 11},
        })
    return Chart("decomposition", title, caption, traces, layout("", "ticks per lot traded", barmode="group", bargap=0.3))
