"""A message is on its way for as long as its link says, and none overtakes another on its link."""
import numpy as np
import pytest
from crowd import MS_NS, Listener, crowd

from lob import Agent, Latency, ReportKind, ScenarioError, Simulation

HOUR_NS = 3_600_000_000_000


class Postman(Agent):
    """Sends an order every millisecond and notes when its reports arrive."""

    def on_start(self, market):
        self.sent, self.received = [], []
        market.wake_at(MS_NS)

    def on_timer(self, market):
        self.sent.append((market.buy(market.opening_ticks, 1), market.now_ns))
        market.wake_after(MS_NS)

    def on_accepted(self, market, order):
        self.received.append((order.id, order.time_ns, market.now_ns))


def post(latency, seconds=0.5):
    """Return the rows of a Postman's orders, and the Postman after all reports have come."""
    run = Simulation([Postman(latency=latency)], seed=3).run(seconds=seconds)
    return run.tape.rows, run.agents[0]


@pytest.mark.parametrize("order_ns", [0, 1, 250_000, 40 * MS_NS])
def test_a_request_reaches_the_exchange_exactly_its_latency_after_it_was_sent(order_ns):
    rows, postman = post(Latency(order_ns=order_ns))
    assert len(rows) > 400
    assert [(row["order_id"], row["sent_ns"]) for row in rows] == postman.sent[:len(rows)]
    assert (rows["time_ns"] - rows["sent_ns"] == order_ns).all()


@pytest.mark.parametrize("feed_ns", [0, 1, 250_000, 40 * MS_NS])
def test_a_report_reaches_its_agent_exactly_its_latency_after_it_was_written(feed_ns):
    rows, postman = post(Latency(feed_ns=feed_ns, order_ns=7))
    assert len(postman.received) > 400
    assert [(order_id, time_ns) for order_id, time_ns, _ in postman.received] == rows[["order_id", "time_ns"]].tolist()[:len(postman.received)]
    assert {now_ns - time_ns for _, time_ns, now_ns in postman.received} == {feed_ns}


@pytest.mark.parametrize("jitter_ns", [1, 300_000, 900_000])
def test_jitter_uses_all_of_its_bounds_and_nothing_beyond(jitter_ns):
    rows, postman = post(Latency(feed_ns=MS_NS, feed_jitter_ns=jitter_ns, order_ns=2 * MS_NS, order_jitter_ns=jitter_ns))
    received = np.array(postman.received)
    for delays, least_ns in ((rows["time_ns"] - rows["sent_ns"], 2 * MS_NS), (received[:, 2] - received[:, 1], MS_NS)):
        assert delays.min() >= least_ns
        assert delays.max() <= least_ns + jitter_ns
        assert delays.max() - delays.min() > 0.9 * jitter_ns


def test_messages_on_one_link_arrive_in_the_order_in_which_they_were_sent():
    rows, postman = post(Latency(feed_ns=MS_NS, feed_jitter_ns=50 * MS_NS, order_ns=MS_NS, order_jitter_ns=50 * MS_NS))
    sent_ids = [order_id for order_id, _ in postman.sent]
    assert rows["order_id"].tolist() == sent_ids[:len(rows)]
    assert [order_id for order_id, _, _ in postman.received] == sent_ids[:len(postman.received)]
    assert (np.diff(rows["time_ns"]) == 0).any(), "with so much jitter some must have waited for the one before"


def test_deliveries_are_the_wake_ups_and_the_reports_that_reached_an_agent():
    run = Simulation([Postman(latency=Latency(feed_ns=40 * MS_NS, order_ns=MS_NS))]).run(seconds=0.5)
    postman, = run.agents
    assert (len(postman.sent), len(postman.received), run.requests) == (500, 459, 499)
    assert run.deliveries == 1 + 500 + 459, "the start, the timers and the reports"


@pytest.mark.parametrize("latency", [Latency(), Latency(feed_ns=5 * MS_NS), Latency(feed_ns=MS_NS, feed_jitter_ns=20 * MS_NS)])
def test_every_trade_is_heard_once_in_order_a_delay_after_it_happened(latency):
    run = Simulation([*crowd(), Listener(latency=latency)], seed=5).run(seconds=2)
    fills = run.tape.rows[run.tape.rows["kind"] == ReportKind.FILL]
    heard = [(note.event, note.now_ns) for note in run.agents[-1].notes if note.hook == "on_trade"]
    assert [event for event, _ in heard] == fills[["time_ns", "price_ticks", "lots", "side"]].tolist()[:len(heard)]
    assert len(heard) > len(fills) - 30
    delays = np.array([now_ns - event[0] for event, now_ns in heard])
    assert delays.min() >= latency.feed_ns
    assert delays.max() <= latency.feed_ns + latency.feed_jitter_ns


@pytest.mark.parametrize("field", ["feed_ns", "order_ns", "feed_jitter_ns", "order_jitter_ns"])
@pytest.mark.parametrize("value", [-1, 1.5, True, "1", HOUR_NS + 1, None])
def test_a_latency_is_a_whole_number_of_nanoseconds_up_to_an_hour(field, value):
    with pytest.raises(ScenarioError, match=rf"latency\.{field} must be a whole number of nanoseconds from 0 to an hour, was"):
        Latency(**{field: value})
