"""Room is made where it runs out, and nobody in the market notices: a world that begins with next to no memory makes the same tape."""
from decimal import Decimal
from functools import partial

import numpy as np
import pytest
from crowd import FAR, MS_NS, DepthWatcher, Listener, Watcher, crowd, depths_of

from agents import NoiseTrader
from lob import REQUEST, Action, Agent, AgentError, Feed, Latency, Phase, ReportKind, Side, Simulation, Venue, compiled
from lob.exchange import memory as book
from lob.simulation import memory

OPENING_TICKS = 2**30


def shrink(monkeypatch):
    """Let every array of a new simulation begin as small as it can be."""
    pool, whole = memory._Pool, book.BookMemory
    monkeypatch.setattr(memory, "TAPE_ROWS", 1)
    monkeypatch.setattr(memory, "_Pool", lambda dtype, capacity: pool(dtype, 2))
    monkeypatch.setattr(memory, "_Ring", partial(memory._Ring, capacity=2))
    monkeypatch.setattr(memory, "CalendarMemory", partial(memory.CalendarMemory, capacity=2))
    monkeypatch.setattr(memory, "BookMemory", partial(memory.BookMemory, order_capacity=2))
    monkeypatch.setattr(book, "LadderMemory", partial(book.LadderMemory, page_count=1))
    monkeypatch.setattr(book, "BookMemory", lambda *args, order_capacity=2, **settings: whole(*args, **settings | {"order_capacity": 2}))


def large_and_tiny(make_agents, monkeypatch, seconds, **settings):
    """Return two runs of the same world, one with room for everything and one without, and the simulation of the latter."""
    large = Simulation(make_agents(), seed=5, **settings).run(seconds=seconds)
    shrink(monkeypatch)
    tiny = Simulation(make_agents(), seed=5, **settings)
    return large, tiny.run(seconds=seconds), tiny.world


class Scatter(Agent):
    """Places orders at prices far apart, each in a page of its own, and takes off the older ones."""

    def on_start(self, market):
        self.ids = []
        market.wake_after(10 * MS_NS)

    def on_timer(self, market):
        side = 2 * market.integers(0, 2) - 1
        self.ids.append(market.limit(side, market.opening_ticks - side * 4096 * market.integers(1, 200_000), 3))
        if len(self.ids) > 40:
            market.cancel(self.ids.pop(market.integers(0, 30)))
        market.wake_after(10 * MS_NS)


def test_a_busy_market_that_is_watched_in_all_its_depth_is_the_same_with_next_to_no_room(monkeypatch):
    def agents():
        slow, slower = Latency(feed_ns=100 * MS_NS), Latency(feed_ns=700 * MS_NS, feed_jitter_ns=10 * MS_NS)
        return [*crowd(), Scatter(), DepthWatcher(latency=slow), DepthWatcher(levels=20, latency=slower), Watcher(latency=slower), Listener(latency=slow)]

    large, tiny, world = large_and_tiny(agents, monkeypatch, seconds=3, opening_price_ticks=OPENING_TICKS)
    assert tiny.tape.rows.tobytes() == large.tape.rows.tobytes()
    assert [agent.notes for agent in tiny.agents[-4:]] == [agent.notes for agent in large.agents[-4:]]
    assert min(ladder.page_count for ladder in world.books[0].ladders) >= 16
    assert min(len(ring.array) for ring in world.ring_memories[0]) >= 256
    assert len(world.books[0].orders) >= 64


def test_depth_over_many_pages_is_still_the_book_a_delay_ago():
    latency = Latency(feed_ns=300 * MS_NS)
    run = Simulation([*crowd(), Scatter(), DepthWatcher(levels=20, latency=latency)], seed=5, opening_price_ticks=OPENING_TICKS).run(seconds=3)
    notes = run.agents[-1].notes
    depth = depths_of(run.tape, [note.now_ns - latency.feed_ns for note in notes], 20, OPENING_TICKS)
    assert [note for note in notes if note.depth != depth[note.now_ns - latency.feed_ns]] == []
    assert max(max(ticks for ticks, _ in note.depth[20:40]) for note in notes) > OPENING_TICKS + 2**27, "it saw orders thousands of pages away"


def test_thousands_of_messages_on_their_way_find_room(monkeypatch):
    def agents():
        return [NoiseTrader(count=100, rate_hz=20.0, latency=Latency(feed_ns=3_000 * MS_NS, order_ns=3_000 * MS_NS, order_jitter_ns=MS_NS)), *crowd()]

    large, tiny, world = large_and_tiny(agents, monkeypatch, seconds=6)
    assert tiny.tape_sha256 == large.tape_sha256
    assert len(world.requests.array) > 6_000
    assert world.calendar.capacity > 6_000


class Wall(Agent):
    """Offers lots one by one."""

    orders: int = 1_000

    def on_start(self, market):
        for i in range(self.orders):
            market.sell(market.opening_ticks + i // 100, 1)


class Sweep(Agent):
    """Takes the whole wall at once."""

    lots: int = 1_000

    def on_start(self, market):
        market.wake_at(100 * MS_NS)

    def on_timer(self, market):
        market.market_order(1, self.lots)


@pytest.mark.parametrize("latency", [Latency(), FAR])
def test_a_sweep_of_a_thousand_orders_fits_into_one_event_and_everybody_hears_all_of_it(latency, monkeypatch):
    def agents():
        listener, watcher = Listener(trades=False, latency=latency), DepthWatcher(trades=False, latency=latency)
        return [Wall(latency=latency), Wall(latency=FAR), Sweep(lots=1_700, latency=latency), listener, watcher]

    large, tiny, world = large_and_tiny(agents, monkeypatch, seconds=1)
    fills = tiny.tape.rows[tiny.tape.rows["kind"] == ReportKind.FILL]
    assert tiny.tape_sha256 == large.tape_sha256
    assert fills["lots"].sum() == 1_700
    assert len(np.unique(fills["time_ns"])) == 1
    assert [note.event[1:] for note in tiny.agents[3].notes if note.hook == "on_trade"] == fills[["price_ticks", "lots", "side"]].tolist()
    assert [agent.notes for agent in tiny.agents[3:]] == [agent.notes for agent in large.agents[3:]]
    assert len(world.reports.rows) >= 1_700


class Icebergs(Agent):
    """Offers a few icebergs that show a lot at a time."""

    def on_start(self, market):
        for _ in range(3):
            market.sell(market.opening_ticks, 1_000, display_lots=1)


class Stops(Wall):
    """Offers lots one by one, and lets stops wait that take all of them as soon as one trades."""

    def on_start(self, market):
        super().on_start(market)
        for _ in range(10):
            market.market_order(1, self.orders // 10, trigger_ticks=market.opening_ticks)


class CrossedWall(Agent):
    """Bids for lots one by one where others offer them."""

    def on_start(self, market):
        for _ in range(1_000):
            market.buy(market.opening_ticks + 20, 1)


@pytest.mark.parametrize(("resting", "taken", "traded", "venue"), [
    ([Icebergs(latency=Latency())], 3_000, 3_000, Venue()),
    ([Stops(orders=900, latency=Latency())], 1, 900, Venue()),
    ([Wall(latency=Latency()), CrossedWall(latency=Latency())], 1, 1_000, Venue(phase=Phase.BATCH, batch_interval_ns=50 * MS_NS)),
])
def test_a_request_that_lets_far_more_trade_than_its_own_lots_fits_into_one_event(resting, taken, traded, venue, monkeypatch):
    def agents():
        slow = Latency(feed_ns=200 * MS_NS)
        return [*resting, Sweep(lots=taken), Listener(trades=False, latency=slow), DepthWatcher(trades=False, latency=slow)]

    large, tiny, _ = large_and_tiny(agents, monkeypatch, seconds=1, venue=venue)
    fills = tiny.tape.rows[tiny.tape.rows["kind"] == ReportKind.FILL]
    assert tiny.tape_sha256 == large.tape_sha256
    assert fills["lots"].sum() == traded
    for run in (large, tiny):
        assert [note.event[1:] for note in run.agents[-2].notes if note.hook == "on_trade"] == fills[["price_ticks", "lots", "side"]].tolist()
    assert [agent.notes for agent in tiny.agents[-2:]] == [agent.notes for agent in large.agents[-2:]]


@pytest.mark.parametrize("is_tiny", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_one_call_of_a_hook_can_send_a_thousand_requests_and_no_more(plain, is_tiny, monkeypatch):
    @compiled
    class Burst(Agent):
        requests: int = 0

        def on_start(self, market):
            for i in range(self.requests):
                market.cancel(market.sell(market.opening_ticks + i % 7, 1)) if i % 2 else market.buy(1 + i % 50, 1)

        def on_timer(self, market):
            pass

    if is_tiny:
        shrink(monkeypatch)
    run = Simulation([Burst(requests=666)], plain=plain).run(seconds=1)
    assert run.requests == 999
    with pytest.raises(AgentError, match=r"Burst \(Burst\), on_start, at 0 ns: RuntimeError: an agent may send at most 1,000 requests in one call of a hook"):
        Simulation([Burst(requests=668)], plain=plain).run(seconds=1)


def test_the_limit_is_of_one_call_and_not_of_many():
    class Steady(Agent):
        def on_start(self, market):
            market.wake_after(MS_NS)

        def on_timer(self, market):
            for _ in range(1_000):
                market.buy(1, 1)
            market.wake_after(MS_NS)

    assert Simulation([Steady()]).run(seconds=0.02).requests == 20_000


def day_of_rows(*rows):
    """Return a Feed of (time_ms, action, side, price_ticks, lots, order_id)."""
    requests = np.zeros(len(rows), REQUEST)
    for request, (time_ms, action, side, price_ticks, lots, order_id) in zip(requests, rows, strict=True):
        for name, value in {"time_ns": time_ms * MS_NS, "action": action, "side": side, "price_ticks": price_ticks, "lots": lots, "order_id": order_id}.items():
            request[name] = value
    requests["sent_ns"] = requests["time_ns"]
    ends = np.arange(1, len(rows) + 1)
    return Feed("DAY", "made by hand", requests, ends, 0, Decimal("0.01"), Decimal(1), 0, int(requests["time_ns"][-1]), {})


def test_a_dropped_level_of_many_orders_reaches_a_slow_reader_of_depth_whole(monkeypatch):
    shrink(monkeypatch)
    # With these numbers the ring of changes is more than half full when the level goes, and nothing in it has been read.
    queue = [(i // 2, Action.LIMIT, Side.SELL, 10_003, 2, i + 1) for i in range(400)]
    behind = [(250, Action.LIMIT, Side.SELL, 10_000 + i, 7, 1_000 + i) for i in range(4, 9)]
    feed = day_of_rows(*queue, *behind, (260, Action.DROP_LEVEL, Side.SELL, 10_003, 0, 0), (2_000, Action.LIMIT, Side.BUY, 9_000, 1, 5_000))
    run = Simulation([DepthWatcher(latency=Latency(feed_ns=500 * MS_NS))], feed=feed, opening_price_ticks=10_000).run()
    notes = run.agents[0].notes
    depth = depths_of(run.tape, [note.now_ns - 500 * MS_NS for note in notes])
    assert [note for note in notes if note.depth != depth[note.now_ns - 500 * MS_NS]] == []
    assert (10_003, 800) in {note.depth[5] for note in notes}
    assert notes[-1].depth[5:10] == tuple((10_000 + i, 7) for i in range(4, 9))
