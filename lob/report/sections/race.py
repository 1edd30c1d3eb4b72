"""Race: which queue empties first, who forecast it, and what moved the mid."""
import numpy as np

from lob.analytics.race import race
from lob.report.numbers import number, percent
from lob.report.parts import Chart, Column, Section, Table, layout
from lob.report.theme import SERIES

SAYS = {
    "hazards": "p_up of the pressure on both queues", "imbalance": "bid / (bid + ask)", "queues": "two independent queues", "microprice": "microprice chain",
}
CAUSES = {"traded": "traded through", "pulled": "cancelled away", "improved": "improved", "reopened": "side reopened"}


def section(subject):
    """Return calibration, scores and causes."""
    found = race(subject.tape, book=subject.book)
    lead = "Which queue empties first? Every forecast is held against the next move of the mid, on the second half of the tape, none having seen it."
    return Section("race", "Race", "The race and its calibration", lead, [_calibration(found), _causes(found), _scores(found)])


def _calibration(found):
    title, caption = "Predicted against realised", (
        "On the diagonal a forecast means what it says. Flatter than it: too bold; steeper: too shy. Larger dots are more forecasts; whiskers are two "
        "standard errors."
    )
    if found.reliability.height == 0:
        return Chart("calibration", title, caption, note="The mid did not move after any forecast in the second half of the tape, so none can be judged.")
    traces = [{"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "name": "perfect", "line": {"color": "$faint", "dash": "dot", "width": 1.4},
               "hoverinfo": "skip"}]
    for k, name in enumerate(SAYS):
        mine = found.reliability.filter(found.reliability["forecast"] == name)
        if mine.height == 0:
            continue
        sizes = np.sqrt(mine["count"].to_numpy() / found.reliability["count"].max())
        traces.append({
            "type": "scatter", "mode": "lines+markers", "name": name, "x": mine["predicted"].to_list(), "y": mine["realised"].to_list(),
            "line": {"color": SERIES[k], "width": 1.6}, "marker": {"color": SERIES[k], "size": (5 + 9 * sizes).tolist()},
            "error_y": {"type": "data", "array": (2 * mine["realised_error"].fill_null(0)).to_list(), "color": f"{SERIES[k]}/0.5", "thickness": 1.2,
                "width": 0},
            "customdata": mine["count"].to_list(), "hovertemplate": f"{name}: said %{{x:.2f}}, was %{{y:.2f}}, %{{customdata:,}} times",
        })
    caption = " ".join([caption, *_warning(found.scores)])
    unit = {"range": [-0.02, 1.02], "tickformat": ".1f"}
    return Chart("calibration", title, caption, traces, layout("predicted chance of up", "share that went up", xaxis=unit, yaxis=unit | {"zeroline": False}))


def _warning(scores):
    """Return a sentence about the forecasts that are worse than none, beyond two standard errors, in a list; an empty list without such."""
    worse = scores.filter(scores["brier"] - 2 * scores["brier_error"] > scores["uncertainty"])["forecast"].to_list()
    if not worse:
        return []
    return [f"On this tape {' and '.join(worse)} did worse than saying the same chance every time, beyond two standard errors: not to be taken at its word."]


def _scores(found):
    columns = [
        Column("forecast", is_text=True), Column("what it is", is_text=True), Column("forecasts"), Column("skill", "% of chance's"), Column("Brier"),
        Column("log loss"), Column("reliability"), Column("resolution"), Column("no view", "of forecasts"),
    ]
    rows, notes = [], []
    for line in found.scores.iter_rows(named=True):
        numbers = [number(line[name], 4) for name in ("brier", "log_loss", "reliability", "resolution")]
        rows.append([line["forecast"], SAYS[line["forecast"]], number(line["count"]), percent(line["skill"], 1), *numbers, percent(line["no_view"])])
        notes += [line["note"]] if line["note"] else []
    caption = (
        "Brier score: mean squared miss, 0.25 is a coin; log loss: 0.693 is a coin. Skill: how much of a constant forecast's Brier score it saves, below "
        "zero it is worse than no forecast. Reliability: the harm of a wrong scale, small is good; resolution: how far it tells cases apart, large is good."
    )
    if notes:
        return Table("scores", "Who forecast best", caption, note=f"The forecasts cannot be scored: {notes[0]}.")
    return Table("scores", "Who forecast best", caption, columns, rows, signed=(3,))


def _causes(found):
    title, caption = "What moved the mid", (
        "Every move of a best quote, by what caused it. Eaten is routine; pulled is a change of mind: where it grows, the depth you see is not the depth "
        "you get."
    )
    causes = found.causes
    if causes.height == 0:
        return Chart("causes", title, caption, note="No best quote ever moved while both sides were there.")
    traces = []
    for side, word, color in ((1, "bid moved", "$bid"), (-1, "ask moved", "$ask")):
        moves = dict(causes.filter(causes["side"] == side).select("cause", "moves").iter_rows())
        counts, total = [moves.get(cause, 0) for cause in CAUSES], causes["moves"].sum()
        traces.append({
            "type": "bar", "name": word, "x": list(CAUSES.values()), "y": [100 * moved / total for moved in counts], "marker": {"color": color},
            "customdata": counts, "hovertemplate": "%{x}: %{customdata:,} moves, %{y:.1f} % of all",
        })
    return Chart("causes", title, caption, traces, layout("", "% of all moves", barmode="group", bargap=0.35))
