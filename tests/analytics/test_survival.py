"""Survival: waiting times with cancels, against plain loops and against laws that are known."""
import numpy as np
import polars
import pytest
from random_market import random_tape
from ruled_market import ruled_tape

from lob.analytics.queues import queue_progress, queue_value, queues
from lob.analytics.quotes import Mids
from lob.analytics.stay import End
from lob.analytics.stays import touch_stays, walk
from lob.analytics.survival import PLACES, time_to_fill
from lob.exchange.order_book import OrderBook
from lob.messages import REQUEST, Action, ReportKind, Side
from lob.tape.record import Tape

SECOND_NS = 1_000_000_000
EDGES = (1, 5, 10, 20, 50, 100, 1000)


def place_of(stay):
    return PLACES[sum(stay["lots_ahead"] >= edge for edge in EDGES)]


def naive_curve(stays, time_ns):
    """Return (at risk, survival, filled, cancelled) just after a time, by going through the distinct times one by one."""
    waits = []
    for stay in stays:
        is_filled = stay["first_fill_ns"] >= 0
        event = "fill" if is_filled else "cancel" if stay["end"] in (End.CANCELLED, End.MOVED) else "none"
        waits.append((int((stay["first_fill_ns"] if is_filled else stay["end_ns"]) - stay["time_ns"]), event))
    survival = remaining = 1.0
    filled = cancelled = 0.0
    for wait in sorted({wait for wait, _ in waits if wait <= time_ns}):
        at_risk = sum(other >= wait for other, _ in waits)
        fills, cancels = (sum(at == wait and event == word for at, event in waits) for word in ("fill", "cancel"))
        survival *= 1 - fills / at_risk
        filled += remaining * fills / at_risk
        cancelled += remaining * (1 - fills / at_risk) * cancels / max(at_risk - fills, 1)
        remaining *= 1 - (fills + cancels) / at_risk
    return sum(wait > time_ns for wait, _ in waits), survival, filled, cancelled


@pytest.mark.parametrize("make", [random_tape, ruled_tape])
def test_curves_are_those_of_a_plain_loop(make):
    tape = make(2_000, seed=81)
    stays = walk(tape).stays[touch_stays(tape)["number"]]
    table = time_to_fill(tape, times_ns=[SECOND_NS // 10, SECOND_NS])
    assert table["orders"].sum() == 2 * len(stays)
    checked = 0
    for line in table.iter_rows(named=True):
        if line["note"] is None:
            mine = [stay for stay in stays if place_of(stay) == line["place"]]
            found = (line["at_risk"], line["survival"], line["filled"], line["cancelled"])
            assert found == pytest.approx(naive_curve(mine, line["time_ns"]))
            checked += 1
    assert checked >= 4


def fading_tape(orders, fill_hz, cancel_hz, seed):
    """Return a tape on which each order is alone in its queue, and is hit or cancelled after exponential times."""
    random, time_ns, requests = np.random.default_rng(seed), 0, [(0, Action.LIMIT, Side.BUY, 100, 1, 10**8), (0, Action.LIMIT, Side.SELL, 200, 1, 10**8 + 1)]
    for number in range(orders):
        fill_ns, cancel_ns = (int(random.exponential(1e9 / rate)) for rate in (fill_hz, cancel_hz))
        requests.append((time_ns, Action.LIMIT, Side.BUY, 101, 1, 2 * number + 1))
        time_ns += min(fill_ns, cancel_ns)
        requests.append((time_ns, Action.MARKET, Side.SELL, 0, 1, 2 * number + 2) if fill_ns < cancel_ns else (time_ns, Action.CANCEL, 0, 0, 0, 2 * number + 1))
        time_ns += SECOND_NS
    array = np.zeros(len(requests), REQUEST)
    for name, values in zip(("time_ns", "action", "side", "price_ticks", "lots", "order_id"), zip(*requests, strict=True), strict=True):
        array[name] = values
    return Tape(OrderBook().send_many(array), {})


def test_exponential_waits_come_back_within_their_errors():
    # Fills at 2 a second, cancels at 3: survival is exp(-2 t), filled 2/5 (1 - exp(-5 t)), cancelled 3/5 of the same.
    for line in time_to_fill(fading_tape(4_000, 2.0, 3.0, seed=82), times_ns=[SECOND_NS // 10, SECOND_NS // 4, SECOND_NS // 2]).iter_rows(named=True):
        t, gone = line["time_s"], 1 - np.exp(-5 * line["time_s"])
        assert abs(line["survival"] - np.exp(-2 * t)) < 4 * line["survival_error"] < 0.1
        assert abs(line["filled"] - 0.4 * gone) < 4 * line["filled_error"] < 0.05
        assert line["cancelled"] == pytest.approx(0.6 * gone, abs=4 * np.sqrt(0.25 / 4_000))


def test_greenwoods_error_is_binomial_where_nobody_cancels():
    line = time_to_fill(fading_tape(500, 2.0, 1e-9, seed=83), times_ns=[SECOND_NS // 4]).row(0, named=True)
    assert line["survival_error"] == pytest.approx(np.sqrt(line["survival"] * (1 - line["survival"]) / 500))
    assert line["filled"] == pytest.approx(1 - line["survival"])


@pytest.mark.parametrize("by", ["place", "imbalance", "gap", "side", "agent", "kind", "role"])
def test_orders_can_be_sorted_by_many_things_and_no_table_has_a_nan(by):
    tape = ruled_tape(1_500, seed=84)
    for frame in (time_to_fill(tape, by, only_at_touch=False), queue_progress(tape, by), queue_value(tape, by)):
        assert frame.height > 0
        for column in frame.iter_columns():
            assert not (column.dtype.is_float() and column.is_nan().any()), column.name


def test_a_class_of_few_orders_says_so():
    book = OrderBook()
    rows = [book.limit(Side.BUY, 100, 5, 1), book.limit(Side.SELL, 101, 5, 2), book.limit(Side.BUY, 100, 1, 3)]
    table = time_to_fill(Tape(np.concatenate(rows), {}))
    assert table["survival"].to_list() == [None] * table.height
    assert table["note"][0] == "not enough data: 1 orders, 20 needed"


def test_what_was_ahead_went_by_trades_or_by_cancels():
    book = OrderBook()
    rows = [book.limit(Side.BUY, 100, 4, 1), book.limit(Side.SELL, 101, 5, 2), book.limit(Side.BUY, 100, 6, 3), book.limit(Side.BUY, 100, 2, 4)]
    rows += [book.market(Side.SELL, 3, 5, now_ns=1), book.cancel(3, now_ns=2), book.market(Side.SELL, 2, 6, now_ns=SECOND_NS)]
    lines = {line["place"]: line for line in queue_progress(Tape(np.concatenate(rows), {})).iter_rows(named=True)}
    # Order 4 came with 10 ahead: 4 traded and 6 were cancelled before its fill. Order 3 with 4: 3 traded, 1 was left when it went.
    assert (lines["10-19"]["traded_share"], lines["10-19"]["cancelled_share"], lines["10-19"]["fill_s"]) == (0.4, 0.6, 1.0)
    assert (lines["1-4 lots ahead"]["traded_share"], lines["1-4 lots ahead"]["left_share"], lines["1-4 lots ahead"]["fill_s"]) == (0.75, 0.25, None)


def test_the_value_of_a_place_is_that_of_a_plain_loop():
    tape = random_tape(1_500, seed=85)
    found, mids = walk(tape), Mids.of(tape)
    fills = tape.rows[tape.rows["kind"] == ReportKind.FILL]
    for line in queue_value(tape, "place", SECOND_NS).iter_rows(named=True):
        earned = lots = filled = 0
        for i, stay in enumerate(found.stays):
            if -(2**31) < stay["gap_ticks"] <= 0 and place_of(stay) == line["place"] and stay["end_ns"] + SECOND_NS <= tape.end_ns:
                lots, filled = lots + stay["lots"], filled + stay["filled_lots"]
                for fill in fills[found.fill_stays == i]:
                    later = mids.half_ticks[mids.time_ns <= fill["time_ns"] + SECOND_NS][-1] / 2
                    earned += stay["side"] * (later - fill["price_ticks"]) * fill["lots"]
        assert (line["lots"], line["value"], line["filled_share"]) == (lots, pytest.approx(earned / lots), pytest.approx(filled / lots))
        assert line["realised"] == pytest.approx(earned / filled)


def test_an_empty_tape_has_no_queue():
    found = queues(random_tape(0, seed=1))
    assert [frame.height for frame in vars(found).values()] == [0, 0, 0, 0]
    assert isinstance(found.by_place, polars.DataFrame)
