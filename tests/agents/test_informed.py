"""Who knows something: by conviction, or first."""
import numpy as np
import pytest
from small_market import NEAR, StandingQuotes, fills_of, first_rows, rows_of, run_of

from agents import InformedTrader, NewsMaker, Sniper
from lob import Agent, Fundamental, Latency, ReportKind, Side

STILL = Fundamental(volatility_ticks=0.0)


class Steps(Agent):
    """Offers a hundred lots at every price up to ten ticks from the opening price, on both sides."""

    def on_start(self, market):
        for i in range(1, 11):
            market.buy(market.opening_ticks - i, 100)
            market.sell(market.opening_ticks + i, 100)


@pytest.mark.parametrize("side", [1, -1])
def test_who_trades_by_conviction_wants_lots_for_each_tick_of_edge_at_any_price_that_leaves_the_threshold(side, tmp_path):
    path = tmp_path / "values.csv"
    path.write_text(f"time_ns,value_ticks\n0,10000\n500000000,{10_000 + side * 6}\n", encoding="utf-8")
    trader = InformedTrader(rate_hz=10.0, error_ticks=0.0, conviction=60.0, lots_max=1_000, threshold_ticks=0.5, latency=NEAR)
    rows = first_rows(rows_of(run_of(Steps(), trader, fundamental=Fundamental(file=str(path)), seconds=5), "InformedTrader"))
    # The edge at the first touch is five ticks; each order leaves less of it for the next.
    assert (rows["side"][0], rows["lots"][0], rows["price_ticks"][0]) == (side, 300, 10_000 + side * 5)
    assert rows["lots"].tolist() == sorted(rows["lots"].tolist(), reverse=True)
    assert len(set(rows["lots"])) > 1


def jump_file(folder, jump_ticks):
    path = folder / "values.csv"
    path.write_text(f"time_ns,value_ticks\n0,10000\n1000000000,{10_000 + jump_ticks}\n", encoding="utf-8")
    return Fundamental(file=str(path))


def raced(folder, jump_ticks, maker_order_ns, sniper_order_ns=500_000):
    """Return the fills of a sniper after one jump of the public value at one second."""
    maker = NewsMaker(latency=Latency(feed_ns=100_000, order_ns=maker_order_ns))
    sniper = Sniper(latency=Latency(feed_ns=100_000, order_ns=sniper_order_ns))
    return fills_of(run_of(maker, sniper, fundamental=jump_file(folder, jump_ticks), seconds=2), "Sniper")[0]


@pytest.mark.parametrize(("jump_ticks", "side", "price_ticks"), [(6, Side.BUY, 10_002), (-6, Side.SELL, 9_998)])
def test_a_sniper_that_is_first_takes_the_stale_quote_and_one_that_is_second_finds_nothing(tmp_path, jump_ticks, side, price_ticks):
    fills = raced(tmp_path, jump_ticks, maker_order_ns=600_000)
    assert [(row["side"], row["price_ticks"], row["lots"], row["time_ns"]) for row in fills] == [(side, price_ticks, 5, 1_000_501_000)]
    assert len(raced(tmp_path, jump_ticks, maker_order_ns=400_000)) == 0


def test_a_sniper_leaves_quotes_that_are_not_stale(tmp_path):
    assert len(raced(tmp_path, 2, maker_order_ns=600_000)) == 0


def test_a_sniper_takes_no_notice_of_small_moves():
    rows = rows_of(run_of(StandingQuotes(), Sniper(jump_min_ticks=20.0, latency=NEAR), fundamental=Fundamental(volatility_ticks=5.0), seconds=20), "Sniper")
    assert len(rows) == 0


def test_a_news_maker_quotes_around_the_value_and_follows_it(tmp_path):
    rows = rows_of(run_of(NewsMaker(half_spread_ticks=2.0, latency=NEAR), fundamental=jump_file(tmp_path, 30), seconds=2), "NewsMaker")
    accepted = rows[rows["kind"] == ReportKind.ACCEPTED]
    prices = {Side(side): accepted["price_ticks"][accepted["side"] == side].tolist() for side in np.unique(accepted["side"])}
    # Its bid waits behind its old ask until that is gone.
    assert prices == {Side.BUY: [9_998, 10_001, 10_028], Side.SELL: [10_002, 10_032]}
