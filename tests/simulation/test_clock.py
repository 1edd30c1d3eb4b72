"""A venue moves by itself: its schedule of phases, the end of a batch and of the breaker's phase come at their time, without an agent that asks for them."""
import numpy as np
import pytest
from crowd import MS_NS

from agents import NoiseTrader
from lob import Agent, Latency, ScenarioError, Simulation, Venue, compiled, verify
from lob.messages import CancelReason, Phase, ReportKind
from lob.simulation.scenario import load

NEAR = Latency(feed_ns=MS_NS, order_ns=MS_NS)
DAY = ((0, Phase.OPENING_AUCTION), (500 * MS_NS, Phase.CONTINUOUS), (1_500 * MS_NS, "CLOSING_AUCTION"), (2_000 * MS_NS, Phase.CLOSED))


@compiled
class Once(Agent):
    """Sends one order at a time."""

    at_ns: int = 0
    side: int = 1
    price_ticks: int = 10_000
    lots: int = 5
    heard_ns: int = 0

    def on_start(self, market):
        market.wake_at(self.at_ns)

    def on_timer(self, market):
        market.limit(self.side, self.price_ticks, self.lots)

    def on_fill(self, market, fill):
        self.heard_ns = fill.time_ns


@compiled
class Dated(Agent):
    """Sends one order that has an expiry, at 10 ms, and cancels it at 15 ms if it does not stay."""

    lives_ns: int = 0
    stays: bool = True
    order_id: int = 0

    def on_start(self, market):
        market.wake_at(10_000_000)

    def on_timer(self, market):
        if self.order_id:
            market.cancel(self.order_id)
        else:
            self.order_id = market.buy(10_000, 5, expiry_ns=market.now_ns + self.lives_ns)
            if not self.stays:
                market.wake_at(15_000_000)


@compiled
class Renews(Agent):
    """Quotes with an expiry, or for a tenth of a millisecond, and takes each quote off as soon as it stands, ten thousand times."""

    lives_until_ns: int = 0
    orders: int = 0

    def quote(self, market):
        self.orders += 1
        if self.orders <= 10_000 and market.now_ns < 4_900_000_000:
            market.buy(10_000, 1, expiry_ns=self.lives_until_ns or market.now_ns + 100_000)

    def on_start(self, market):
        self.quote(market)

    def on_accepted(self, market, order):
        if self.lives_until_ns:
            market.cancel(order.id)

    def on_done(self, market, order):
        self.quote(market)


def rows_of(run, kind):
    return run.tape.rows[run.tape.rows["kind"] == kind]


def crossed(*ms, **settings):
    """Run a buyer and a seller who would trade with each other, at times in ms."""
    agents = [Once(name=f"agent {i}", at_ns=at_ms * MS_NS, side=1 - 2 * (i % 2)) for i, at_ms in enumerate(ms)]
    return Simulation(agents, **settings).run(seconds=3)


def test_auctions_at_the_open_and_the_close_happen_at_their_time():
    run = Simulation([NoiseTrader(count=100, rate_hz=5.0, latency=NEAR)], seed=2, schedule=DAY).run(seconds=3)
    assert rows_of(run, ReportKind.PHASE)[["time_ns", "price_ticks"]].tolist() == [(time_ns, Phase[p] if isinstance(p, str) else p) for time_ns, p in DAY]
    fills_ns = rows_of(run, ReportKind.FILL)["time_ns"]
    assert np.count_nonzero(fills_ns == 500 * MS_NS) > 5
    assert np.count_nonzero(fills_ns == 2_000 * MS_NS) > 5
    between = (fills_ns > 500 * MS_NS) & (fills_ns < 1_500 * MS_NS)
    assert np.count_nonzero(between) > 20
    at_auctions = np.isin(fills_ns, [500 * MS_NS, 2_000 * MS_NS])
    assert np.all(between | at_auctions)
    assert verify(run.tape).ok


def test_a_batch_ends_at_its_time_though_nobody_sends_anything_then():
    run = crossed(30, 40, venue=Venue(phase=Phase.BATCH, batch_interval_ns=100 * MS_NS))
    assert rows_of(run, ReportKind.FILL)["time_ns"].tolist() == [100 * MS_NS]
    assert [agent.heard_ns for agent in run.agents] == [100 * MS_NS] * 2
    assert verify(run.tape).ok


def test_batches_in_which_nothing_can_trade_leave_no_row():
    run = crossed(30, 2_040, venue=Venue(phase=Phase.BATCH, batch_interval_ns=100 * MS_NS))
    assert rows_of(run, ReportKind.FILL)["time_ns"].tolist() == [2_100 * MS_NS]
    assert len(run.tape) < 10


def test_batches_of_a_crowd_trade_at_whole_intervals_only():
    venue = Venue(phase=Phase.BATCH, batch_interval_ns=50 * MS_NS)
    run = Simulation([NoiseTrader(count=100, rate_hz=5.0, latency=NEAR)], seed=2, venue=venue).run(seconds=3)
    fills = rows_of(run, ReportKind.FILL)
    assert len(np.unique(fills["time_ns"])) > 40
    assert np.all(fills["time_ns"] % (50 * MS_NS) == 0)
    assert verify(run.tape).ok


def test_the_breakers_phase_ends_by_itself():
    venue = Venue(reference_ticks=10_000, breaker_ppm=1_000, breaker_ns=200 * MS_NS)
    # The third would trade at 10,020 with the second, twenty ticks from the reference; ten are allowed.
    agents = [
        Once(name="a", at_ns=10 * MS_NS, side=-1, price_ticks=10_020), Once(name="b", at_ns=20 * MS_NS, side=1, price_ticks=10_020),
    ]
    run = Simulation(agents, venue=venue).run(seconds=1)
    phases = rows_of(run, ReportKind.PHASE)
    assert phases[["time_ns", "price_ticks"]].tolist()[:2] == [(20 * MS_NS, Phase.HALT), (220 * MS_NS, Phase.CONTINUOUS)]
    assert phases["reason"][1] == CancelReason.EXPIRED
    assert verify(run.tape).ok


def test_a_clock_that_the_venue_has_overtaken_says_nothing():
    venue = Venue(phase=Phase.BATCH, batch_interval_ns=100 * MS_NS)
    run = crossed(30, 40, venue=venue, schedule=[(60 * MS_NS, Phase.CONTINUOUS)])
    assert rows_of(run, ReportKind.FILL)["time_ns"].tolist() == [60 * MS_NS]
    assert run.tape.rows["time_ns"].max() == 60 * MS_NS
    assert verify(run.tape).ok


def test_an_opening_auction_comes_before_batches():
    venue = Venue(phase=Phase.OPENING_AUCTION, batch_interval_ns=100 * MS_NS)
    run = crossed(30, 40, 630, 640, venue=venue, schedule=[(550 * MS_NS, Phase.BATCH)])
    assert rows_of(run, ReportKind.FILL)["time_ns"].tolist() == [550 * MS_NS, 700 * MS_NS]
    assert verify(run.tape).ok


def test_an_order_leaves_at_its_expiry_though_nobody_sends_anything_then():
    agents = [Dated(lives_ns=70 * MS_NS), Dated(name="later", lives_ns=80 * MS_NS), Dated(name="gone", lives_ns=60 * MS_NS, stays=False)]
    run = Simulation(agents).run(seconds=1)
    gone = rows_of(run, ReportKind.CANCELLED)[["time_ns", "reason"]].tolist()
    assert gone == [(15 * MS_NS, CancelReason.ASKED), (80 * MS_NS, CancelReason.EXPIRED), (90 * MS_NS, CancelReason.EXPIRED)]
    assert len(rows_of(run, ReportKind.PHASE)) == 2
    assert verify(run.tape).ok


@pytest.mark.parametrize("far_ns", [4_000 * MS_NS, 5_000 * MS_NS])
def test_quotes_with_expiries_that_are_renewed_again_and_again_take_no_more_room(far_ns):
    renewing = [Renews(lives_until_ns=ns, latency=Latency(order_ns=delay_ns)) for ns, delay_ns in ((5_000 * MS_NS, 10_000), (far_ns, 15_000), (0, 20_000))]
    simulation = Simulation(renewing)
    room = len(simulation.world.requests.array)
    run = simulation.run(seconds=6)
    assert run.requests == 50_000
    assert len(simulation.world.requests.array) == room
    assert rows_of(run, ReportKind.CANCELLED)["time_ns"].max() <= 5_000 * MS_NS


def test_what_the_venue_does_by_itself_is_no_request():
    assert crossed(30, 40, venue=Venue(phase=Phase.BATCH, batch_interval_ns=100 * MS_NS), schedule=[(900 * MS_NS, Phase.HALT)]).requests == 2


def test_every_book_of_a_simulation_has_the_schedule():
    run = Simulation([NoiseTrader(name=f"noise {i}", count=20, rate_hz=5.0, venue=i) for i in range(2)], books=2, schedule=DAY).run(seconds=3)
    assert sorted(rows_of(run, ReportKind.PHASE)[["time_ns", "book"]].tolist()) == [(time_ns, book) for time_ns, _ in DAY for book in range(2)]


def test_a_schedule_of_a_scenario_is_the_one_of_its_simulation(tmp_path):
    path = tmp_path / "day.toml"
    path.write_text("""
[venue]
phase = "PRE_OPEN"
schedule = [{ at_s = 0.5, phase = "CONTINUOUS" }, { at_s = 2, phase = "CLOSED" }]

[[agents]]
class = "agents:NoiseTrader"
""", encoding="utf-8")
    run = load(path).simulation().run(seconds=3)
    assert run.provenance["schedule"] == [[500 * MS_NS, "CONTINUOUS"], [2_000 * MS_NS, "CLOSED"]]
    assert rows_of(run, ReportKind.PHASE)["time_ns"].tolist() == [500 * MS_NS, 2_000 * MS_NS]


@pytest.mark.parametrize(("schedule", "complaint"), [
    ([(5, Phase.HALT), (4, Phase.CLOSED)], r"venue.schedule\[1\] must not be before 5 ns, was 4"),
    ([(-1, Phase.HALT)], r"venue.schedule\[0\] must not be before 0 ns, was -1"),
    ([(0.5, Phase.HALT)], "was 0.5"),
    ([(0, "LUNCH")], r"venue.schedule\[0\] must be one of CONTINUOUS, .*, was 'LUNCH'"),
    ([7], r"venue.schedule\[0\] must be a time and a phase, was 7"),
    ([(0, Phase.BATCH)], "batches need a batch_interval_ns"),
])
def test_a_schedule_that_cannot_be_kept_is_refused(schedule, complaint):
    with pytest.raises(ScenarioError, match=complaint):
        Simulation([], schedule=schedule)


@pytest.mark.parametrize(("schedule", "complaint"), [
    ("7", "venue.schedule must be a list of tables, was 7"), ("[{ at_s = 1 }]", r"venue.schedule\[0\] must have at_s"),
    ('[{ at_s = -1, phase = "HALT" }]', r"venue.schedule\[0\] must have at_s"), ('[{ at = 1, phase = "HALT" }]', "unknown key"),
])
def test_a_schedule_of_a_file_is_checked(tmp_path, schedule, complaint):
    path = tmp_path / "day.toml"
    path.write_text(f'[venue]\nschedule = {schedule}\n\n[[agents]]\nclass = "agents:NoiseTrader"\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match=complaint):
        load(path)
