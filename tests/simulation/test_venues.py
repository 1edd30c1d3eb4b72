"""An agent at several venues: at each its own view, orders, account and links; one state, one timer, one stream."""
import io
import math

import numpy as np
import polars as pl
import pytest
from crowd import MS_NS, Watcher
from rich.console import Console

from agents import NoiseTrader, SymmetricMaker
from lob import Agent, AgentError, Array, FeeTier, Instrument, Latency, Phase, ReportKind, ScenarioError, Simulation, Tape, Venue, check_agent, compiled, verify
from lob.analytics.markouts import fill_markouts, fill_markouts_everywhere
from lob.analytics.profit import profit_and_loss, profit_everywhere
from lob.messages import Action
from lob.report.summary import show
from lob.simulation.outbox import ORDER_IDS_PER_OWNER, ORDER_IDS_PER_VENUE
from lob.tape.accounts import accounts
from lob.tape.recorded import feed_of
from lob.tape.replay import touches

FAR = Latency(feed_ns=MS_NS, order_ns=MS_NS)
LINKS = [Latency(feed_ns=100_000, order_ns=200_000), Latency(feed_ns=3 * MS_NS, order_ns=5 * MS_NS)]
JITTERED = [Latency(100_000, 200_000, 50_000, 70_000), Latency(3 * MS_NS, 5 * MS_NS, MS_NS, {"gamma": [2.0, 150_000.0]})]


@compiled
class Roamer(Agent):
    """Does everything that can be done at a venue, at whichever of its venues, from whichever it is woken at."""

    step_ns: int = 7 * MS_NS
    last_id: int = 0
    heard: int = 0
    done: int = 0
    astray: int = 0
    inventory_lots: Array[int, 4] = 0
    cash: Array[int, 4] = 0
    fees_microticks: Array[int, 4] = 0

    def on_start(self, market):
        market.wake_after(self.step_ns)

    def on_timer(self, market):
        self.astray += market.venue != 0
        there = market.at(market.integers(0, market.venue_count))
        side = 2 * market.integers(0, 2) - 1
        if self.last_id and there.uniform() < 0.3:
            market.cancel(self.last_id)
        elif there.uniform() < 0.2:
            there.market_order(side, 2)
        elif market.uniform() < 0.05:
            there.cancel_all()
        elif self.last_id and market.uniform() < 0.2:
            there.replace(self.last_id, max(1, there.opening_ticks - side * 4), 3)
        else:
            touch_ticks = there.best_bid_ticks if side > 0 else there.best_ask_ticks
            self.last_id = there.limit(side, touch_ticks if touch_ticks else there.opening_ticks - 3 * side, 3)
        there.wake_after(self.step_ns)
        self.note(market)

    def on_quote(self, market):
        self.heard += 1 + market.venue
        if market.at(market.venue_count - 1 - market.venue).best_bid_ticks % 5 == 0 and market.uniform() < 0.1:
            market.at(1 - market.venue).buy(market.at(0).opening_ticks - 6, 1)

    def on_fill(self, market, fill):
        self.astray += fill.id % 1_000_000_000_000 // 1_000_000_000 != market.venue
        self.note(market)

    def on_done(self, market, order):
        self.done += 1
        if order.id == self.last_id:
            self.last_id = 0

    def note(self, market):
        for venue in range(market.venue_count):
            there = market.at(venue)
            self.astray += (there.venue != venue) + (there.now_ns != market.now_ns)
            self.inventory_lots[venue], self.cash[venue], self.fees_microticks[venue] = there.inventory_lots, there.cash, there.fees_microticks


def crowd(book, count=15):
    return NoiseTrader(name=f"noise {book}", count=count, rate_hz=20.0, venue=book, latency=FAR)


def two_venues(*who, seconds=4, books=2, seed=5, **settings):
    return Simulation([*(crowd(book) for book in range(books)), *who], seed=seed, books=books, **settings).run(seconds=seconds)


def owner_of(run, name):
    return next(owner for owner, agent in run.tape.agents.items() if agent["name"] == name)


def rows_by(run, name, book=None):
    rows = run.tape.rows[run.tape.rows["owner"] == owner_of(run, name)]
    return rows if book is None else rows[rows["book"] == book]


def sent(rows):
    """Return the first row of each request, by when it was sent."""
    return rows[np.unique(rows["sent_ns"], return_index=True)[1]]


@pytest.mark.parametrize("links", [Latency(), LINKS, JITTERED])
@pytest.mark.parametrize("venues", [[0, 1], [2, 0]])
def test_the_tape_and_the_state_are_the_same_as_native_code_and_as_plain_python(links, venues):
    runs = [two_venues(Roamer(count=3, venues=venues, latency=links), seconds=2, books=3, plain=plain) for plain in (False, True)]
    assert runs[0].tape.rows.tobytes() == runs[1].tape.rows.tobytes()
    states = [[(agent.last_id, agent.heard, agent.done, agent.inventory_lots.tolist(), agent.cash.tolist()) for agent in run.agents[45:]] for run in runs]
    assert states[0] == states[1]
    assert [agent.astray for agent in runs[0].agents[45:]] == [0, 0, 0]
    for book in venues:
        assert len(rows_by(runs[0], "Roamer-1", book)) > 30
    assert verify(runs[0].tape).ok


@pytest.mark.parametrize("plain", [False, True])
def test_what_it_holds_at_each_venue_is_what_the_tape_says_of_that_book(plain):
    settings = {"venues": {"a": Venue(fees=[FeeTier(maker_ppm=3, taker_ppm=7)]), "b": Venue(fees=[FeeTier(taker_microticks=11)])}}
    class Stops(Roamer):
        """Trades for three seconds and looks once more."""

        def on_timer(self, market):
            if market.now_ns < 3_000 * MS_NS:
                super().on_timer(market)
            else:
                for venue in range(2):
                    market.at(venue).cancel_all()
                self.note(market)
                market.wake_after(300 * MS_NS)

    agents = [NoiseTrader(name=name, count=15, rate_hz=20.0, venue=name, latency=FAR) for name in "ab"]
    run = Simulation([*agents, compiled(Stops)(venues=["b", "a"], latency=LINKS)], seed=8, plain=plain, **settings).run(seconds=4)
    agent = run.agents[-1]
    for venue, book in enumerate((1, 0)):
        held = accounts(run.tape, book=book)
        assert sum(account.inventory_lots for account in held.values()) == sum(account.cash_ticks for account in held.values()) == 0
        mine = held[owner_of(run, "Stops")]
        assert mine.fills > 10
        assert (agent.inventory_lots[venue], agent.cash[venue], agent.fees_microticks[venue]) == (mine.inventory_lots, mine.cash_ticks, mine.fees_microticks)
    whole = accounts(run.tape)[owner_of(run, "Stops")]
    assert whole.cash_ticks == agent.cash.sum()
    assert verify(run.tape).ok


def test_an_agent_that_never_goes_to_its_second_venue_leaves_the_tape_that_it_leaves_without_one():
    maker = {"name": "maker", "latency": Latency(100_000, 200_000, 50_000, 70_000)}
    alone, both = (
        Simulation([crowd(0), SymmetricMaker(venues=venues, **maker)], seed=3, books=2).run(seconds=3) for venues in ([0], [0, 1])
    )
    assert alone.tape_sha256 == both.tape_sha256
    assert len(rows_by(alone, "maker")) > 100


# Links.

def test_each_link_has_a_delay_of_its_own():
    run = two_venues(Roamer(venues=[1, 0], latency=LINKS))
    for book, link in ((1, LINKS[0]), (0, LINKS[1])):
        rows = rows_by(run, "Roamer", book)
        asked = rows[(rows["kind"] == ReportKind.ACCEPTED) & (rows["action"] != Action.REPLACE)]
        # What is sent at one time arrives in one order; nothing else can make it later than the link does.
        assert set((asked["time_ns"] - asked["sent_ns"]).tolist()) == {link.order_ns}
        assert len(asked) > 50


@compiled
class Postman(Agent):
    """Sends an order to each of its venues far apart."""

    def on_start(self, market):
        market.wake_after(1_000_000_000)

    def on_timer(self, market):
        for venue in range(market.venue_count):
            market.at(venue).buy(1, 1)
        market.wake_after(1_000_000_000)


def test_the_delays_of_each_link_follow_their_law_and_are_drawn_apart():
    count, law = 2_000, {"gamma": [2.0, 150_000.0]}
    links = [Latency(order_jitter_ns=500_000), Latency(order_ns=1_000, order_jitter_ns=law), Latency(order_jitter_ns=500_000)]
    rows = Simulation([Postman(venues=[0, 1, 2], latency=links)], seed=7, books=3).run(until_ns=(count + 1) * 1_000_000_000 - 1).tape.rows
    delays = [(rows["time_ns"] - rows["sent_ns"])[rows["book"] == book] for book in range(3)]
    distributions = [lambda ns: ns / 500_000, lambda ns: 1 - math.exp(-(ns - 1_000) / 150_000) * (1 + (ns - 1_000) / 150_000), lambda ns: ns / 500_000]
    for found, distribution in zip(delays, distributions, strict=True):
        share = np.array([distribution(ns) for ns in np.sort(found).tolist()])
        # Kolmogorov and Smirnov: beyond 1.95 / sqrt(n) once in a thousand samples.
        assert len(found) == count
        assert np.abs(share - (np.arange(count) + 0.5) / count).max() < 1.95 / math.sqrt(count) + 0.5 / count
    # Four standard deviations of a correlation of nothing.
    assert abs(np.corrcoef(delays[0], delays[2])[0, 1]) < 4 / math.sqrt(count)
    assert abs(np.corrcoef(delays[0], delays[1])[0, 1]) < 4 / math.sqrt(count)


def test_the_draws_of_one_link_do_not_move_those_of_another():
    link = Latency(order_jitter_ns=500_000)
    alone, both = (Simulation([Postman(venues=venues, latency=link)], seed=7, books=2).run(seconds=50).tape.rows for venues in ([0], [0, 1]))
    assert alone["time_ns"].tolist() == both["time_ns"][both["book"] == 0].tolist()
    assert len(set((alone["time_ns"] - alone["sent_ns"]).tolist())) > 40


def test_a_latency_that_is_drawn_is_drawn_for_each_agent_and_venue():
    drawn = Latency(feed_ns={"uniform": [0, 10**9]}, order_ns={"uniform": [0, 10**9]})
    agents = Simulation([Postman(count=5, venues=[0, 1], latency=drawn)], books=2).agents
    numbers = [number for agent in agents for latency in agent._latencies for number in (latency.feed_ns, latency.order_ns)]
    assert len(set(numbers)) == 20
    alone = Simulation([Postman(count=5, latency=drawn)], books=2).agents
    assert [agent._latencies[0] for agent in agents] == [agent._latencies[0] for agent in alone]


class FarWatcher(Watcher):
    """A Watcher of its second venue, from its first, which looks twice."""

    def note(self, hook, market, event=()):
        market = market.at(1)
        before = (market.best_bid_ticks, market.best_ask_ticks, market.best_bid_lots, market.best_ask_lots)
        super().note(hook, market.at(0).at(1), event)
        assert self.notes[-1].touch == before


@pytest.mark.parametrize("latency", [Latency(feed_ns=40 * MS_NS), Latency(feed_ns=20 * MS_NS, feed_jitter_ns=60 * MS_NS)])
def test_what_it_sees_at_another_venue_stood_there_a_delay_of_that_link_ago(latency):
    run = two_venues(FarWatcher(venues=[0, 1], latency=[Latency(), latency]))
    changes = touches(run.tape.rows, book=1)
    states = [(0, 0, 0, 0), *changes[["best_bid_ticks", "best_ask_ticks", "bid_lots", "ask_lots"]].tolist()]
    notes = run.agents[-1].notes
    for note in notes:
        first, last = (np.searchsorted(changes["time_ns"], note.now_ns - delay_ns, side) for delay_ns, side in (
            (latency.feed_ns + latency.feed_jitter_ns, "left"), (latency.feed_ns, "right")))
        assert note.touch in states[first:last + 1]
    assert len({note.touch for note in notes}) > 50
    rows = run.tape.rows
    assert set(rows[(rows["owner"] == owner_of(run, "FarWatcher"))]["book"]) == {0}, "it trades where its timer wakes it"


# What belongs to the venue, and what to the agent.

class Diary(Agent):
    """Sends to its second venue from its first and writes down where it is told what."""

    def on_start(self, market):
        self.notes = [("start", market.venue, market.venue_count)]
        self.id = market.at(1).buy(market.opening_ticks - 50, 5)
        market.at(1).wake_at(10 * MS_NS)

    def on_timer(self, market):
        self.notes.append(("timer", market.venue, market.now_ns))
        if market.now_ns == 10 * MS_NS:
            self.notes.append(("open", market.open_order_count, market.at(1).open_order_count, market.at(1).open_order_id(0) == self.id))
            self.notes.append((market.open_order_ticks(self.id), market.open_order_lots(self.id), market.open_order_side(self.id)))
            self.notes.append((market.order_lots_ahead(self.id), market.at(1).order_lots_ahead(self.id)))
            market.replace(self.id, market.opening_ticks - 40, 4)
            market.at(1).wake_at(30 * MS_NS)
            market.wake_at(20 * MS_NS)
        else:
            market.cancel(self.id)

    def on_accepted(self, market, order):
        self.notes.append(("accepted", market.venue, order.id == self.id, order.price_ticks))

    def on_done(self, market, order):
        self.notes.append(("done", market.venue, order.id == self.id))


def test_an_order_is_found_at_its_venue_by_its_id_and_reports_say_where_they_are_from():
    run = Simulation([Diary(venues=[0, 1], latency=Latency(MS_NS, MS_NS))], books=2, opening_price_ticks=1_000).run(seconds=1)
    assert run.agents[0].notes == [
        ("start", 0, 2), ("accepted", 1, True, 950), ("timer", 0, 10 * MS_NS), ("open", 0, 1, True), (950, 5, 1), (0, 0), ("accepted", 1, True, 960),
        ("timer", 0, 20 * MS_NS), ("done", 1, True),
    ]
    assert run.agents[0].id == ORDER_IDS_PER_OWNER + ORDER_IDS_PER_VENUE + 1
    assert set(run.tape.rows["book"]) == {1}


def test_an_id_that_is_none_of_its_own_stays_where_it_was_said():
    class Guesses(Agent):
        def on_start(self, market):
            for order_id in (0, -1, 7, 2 * ORDER_IDS_PER_OWNER + 1, ORDER_IDS_PER_OWNER + 2 * ORDER_IDS_PER_VENUE, 2**63 - 1):
                market.cancel(order_id)
                market.at(1).cancel(order_id)

    rows = Simulation([Guesses(venues=[0, 1])], books=2).run(seconds=1).tape.rows
    assert rows["book"].tolist() == [0, 1] * 6
    assert set(rows["kind"]) == {ReportKind.REJECTED}


@compiled
class Lost(Agent):
    """Goes where it has no link."""

    to: int = 7

    def on_start(self, market):
        market.wake_at(5_000_000)

    def on_timer(self, market):
        market.at(self.to).buy(1, 1)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(("venues", "to"), [([1], 7), ([1], 1), ([0, 2], 2), ([0, 2], -1)])
def test_who_goes_where_it_has_no_link_is_named_with_hook_time_and_line(venues, to, plain):
    with pytest.raises(AgentError) as failure:
        Simulation([Lost(name="lost", venues=venues, to=to)], books=3, plain=plain).run(seconds=1)
    where = ", venue 0" if len(venues) > 1 else ""
    assert str(failure.value).startswith(f"lost (Lost), on_timer{where}, at 5,000,000 ns: ValueError: at: the agent has no venue of that number")
    assert "test_venues.py, line " in str(failure.value)


def test_the_market_of_another_venue_is_read_before_it_is_compiled():
    with pytest.raises(AgentError, match="market has no 'bay': did you mean 'buy'"):
        @compiled
        class Direct(Agent):
            def on_start(self, market):
                market.at(1).bay(1, 1)

    with pytest.raises(AgentError, match="market has no 'worl'"):
        @compiled
        class Named(Agent):
            def on_start(self, market):
                there = market.at(1)
                there.worl = 1

    with pytest.raises(AgentError, match=r"there.buy: missing a required argument: 'lots'"):
        @compiled
        class Short(Agent):
            def on_start(self, market):
                there = market.at(1)
                there.buy(5)


def test_an_agent_of_several_venues_conforms_and_one_that_looks_around_the_corner_does_not():
    found = check_agent(Roamer(venues=[0, 1], latency=LINKS), seconds=5)
    assert found["requests"] > 300
    assert found["fills"] > 20

    class Together(Roamer):
        is_compiled = False
        shared = []

        def on_timer(self, market):
            self.shared.append(market.now_ns)
            market.at(1).buy(market.opening_ticks - len(self.shared) % 50 - 1, 1)
            market.wake_after(self.step_ns)

    with pytest.raises(AgentError, match="two runs with one seed differ"):
        check_agent(Together(venues=[0, 1]), seconds=1)


# Settings.

def test_venues_have_settings_of_their_own():
    class Reads(Agent):
        def on_start(self, market):
            self.opening = [market.at(venue).opening_ticks for venue in range(market.venue_count)]
            for venue in range(market.venue_count):
                market.at(venue).buy(market.at(venue).opening_ticks, 1)

    venues = {"near": Venue(fees=[FeeTier(taker_ppm=5)]), "far": Venue()}
    run = Simulation(
        [Reads(venues=["far", "near"])], venues=venues, opening_price_ticks={"near": 500, "far": 700}, gateway_ns={"far": 30},
        schedule={"near": [(5, "HALT")]}, seed=1,
    ).run(seconds=1)
    assert run.agents[0].opening == [700, 500]
    rows = run.tape.rows
    assert rows[["book", "time_ns", "kind", "price_ticks"]].tolist() == [(0, 0, 1, 500), (0, 5, ReportKind.PHASE, Phase.HALT), (1, 30, 1, 700)]
    assert [(venue["name"], venue["opening_price_ticks"], venue["gateway_ns"]) for venue in run.provenance["venues"]] == [("near", 500, 0), ("far", 700, 30)]
    assert [link["book"] for link in run.provenance["agents"][0]["venues"]] == [1, 0]
    assert verify(run.tape).ok


def test_a_tape_on_disk_knows_how_each_of_its_books_was_set_up(tmp_path):
    venues = {"free": Venue(), "dear": Venue(fees=[FeeTier(taker_ppm=500)])}
    agents = [NoiseTrader(name=name, count=10, rate_hz=20.0, venue=name) for name in venues]
    Simulation(agents, venues=venues, out=tmp_path).run(seconds=2)
    tape = Tape.read(tmp_path)
    fees = [int(tape.rows["fee"][tape.rows["book"] == book].sum()) for book in range(2)]
    assert fees[0] == 0 < fees[1]
    assert verify(tape).ok


def test_each_venue_has_an_instrument_of_its_own_and_money_is_added_up_by_what_a_tick_is_worth(tmp_path):
    """A share and a future on it: a tick on a lot is a cent of the one and 12.50 of the other."""
    venues = {"exchange": Venue(), "futures": Venue()}
    instruments = {"exchange": Instrument("SHARE"), "futures": Instrument("FUT", "0.25", 50, taker_fee="2.5")}
    agents = [NoiseTrader(name=name, count=10, rate_hz=20.0, venue=name) for name in venues]
    run = Simulation([*agents, Roamer(venues=["exchange", "futures"])], venues=venues, instrument=instruments, out=tmp_path, seed=4).run(seconds=20)
    tape = Tape.read(tmp_path)
    assert [tape.instrument_of(book) for book in tape.books] == list(instruments.values())
    assert tape.instrument == run.tape.instrument == instruments["exchange"]
    fees = [int(tape.rows["fee"][tape.rows["book"] == book].sum()) for book in tape.books]
    assert fees[0] == 0 < fees[1]
    feed = feed_of(tape, book=1)
    assert (feed.name, str(feed.tick_size), str(feed.lot_size)) == ("FUT", "0.25", "50")
    total = profit_everywhere(tape).filter(pl.col("kind") == "Roamer").row(0, named=True)
    shares, futures = (profit_and_loss(tape, book).filter(pl.col("kind") == "Roamer").row(0, named=True) for book in tape.books)
    assert shares["fills"] and futures["fills"]
    for name in ("cash_ticks", "fees_microticks", "pnl_ticks", "spread_half_ticks"):
        assert total[name] == pytest.approx(shares[name] + 1_250 * futures[name])
    markouts, (of_shares, of_futures) = fill_markouts_everywhere(tape), (fill_markouts(tape, book=book) for book in tape.books)
    for name in ("effective_half_ticks", "realised_half_ticks", "impact_half_ticks"):
        assert markouts[name].sum() == pytest.approx(of_shares[name].sum() + 1_250 * of_futures[name].sum())
    console = Console(file=io.StringIO(), width=120)
    show(run, console)
    assert "in ticks of exchange, by what a tick on a lot is worth" in console.file.getvalue()
    assert total["fills"] == shares["fills"] + futures["fills"] and total["inventory_lots"] == [shares["inventory_lots"], futures["inventory_lots"]]
    assert verify(tape).ok


@pytest.mark.parametrize(("settings", "words"), [
    ({"venue": 0, "venues": [0]}, "Postman: give venue or venues, not both"),
    ({"venues": []}, r"Postman.venues must be a list of 1 to 1,000 venues, was \[\]"),
    ({"venues": [0, 1.5]}, r"Postman.venues\[1\] must be the number of a book or the name of a venue, was 1.5"),
    ({"venue": True}, "Postman.venue must be the number of a book or the name of a venue, was True"),
    ({"venues": [0, 1], "latency": [Latency()]}, "Postman.latency must be one for all venues, or one for each of 2, was a list of 1"),
    ({"venues": [0, 1], "latency": [Latency(), 5]}, r"Postman.latency\[1\] must be a Latency, was 5"),
    ({"venues": [0, 3]}, r"agents\[1\].venues\[1\] must be the number of one of 2 books, 0 first, or the name, near or far, was 3"),
    ({"venues": ["near", "fra"]}, r"agents\[1\].venues\[1\] must be the number of one of 2 books, 0 first, or the name, near or far, was 'fra'"),
    ({"venues": ["near", 0]}, r"agents\[1\].venues must name each venue once, was \['near', 0\]"),
])
def test_settings_of_an_agent_that_cannot_be_are_refused_with_their_place(settings, words):
    with pytest.raises(ScenarioError, match=words):
        Simulation([Postman(), Postman(**settings)], venues={"near": Venue(), "far": Venue()})


@pytest.mark.parametrize(("settings", "words"), [
    ({"venues": {}}, "venues must be a dict of 1 to 1,000 venues by name"), ({"venues": {"a": 5}}, "venue must be a Venue, was 5"),
    ({"venues": {1: Venue()}}, "venues: a name must be text, was 1"), ({"venues": {"a": Venue()}, "books": 2}, "not both"),
    ({"venues": {"a": Venue()}, "gateway_ns": {"b": 5}}, "gateway_ns: there is no venue 'b'; there are a"),
    ({"venues": {"a": Venue()}, "gateway_ns": {"a": -5}}, r"venues\[0\].gateway_ns must be a whole number"),
    ({"venues": {"a": Venue()}, "schedule": {"a": [(0, "LUNCH")]}}, r"venues\[0\].schedule\[0\] must be one of"),
    ({"venues": {"a": Venue()}, "opening_price_ticks": {"a": 0}}, "opening_price_ticks must be from 1"),
    ({"venues": {"a": Venue()}, "instrument": {"b": Instrument()}}, "instrument: there is no venue 'b'; there are a"),
    ({"venues": {"a": Venue()}, "instrument": {"a": "SHARE"}}, "instrument must be of the class Instrument, was 'SHARE'"),
    ({"instrument": 5}, "instrument must be of the class Instrument, was 5"),
])
def test_settings_of_venues_that_cannot_be_are_refused(settings, words):
    with pytest.raises(ScenarioError, match=words):
        Simulation([], **settings)
