"""The conformance check finds what is wrong with a user's agent, at the first row that shows it."""
import numpy as np
import pytest

import agents
from lob import Agent, AgentError, check_agent, compiled

# Those who seldom act are made to act more often: who sends nothing conforms to everything.
BUSY = {
    "Arbitrageur": {"venues": [0, 1]}, "ExecutionTrader": {"slice_s": 0.25}, "IcebergTrader": {"rate_hz": 10.0, "patience_s": 1.0},
    "Sniper": {"jump_min_ticks": 0.05}, "Spoofer": {"rate_hz": 5.0, "hold_s": 0.2},
}


@pytest.mark.parametrize("name", agents.__all__)
def test_every_agent_of_the_population_conforms(name):
    found = check_agent(getattr(agents, name)(**BUSY.get(name, {})), seconds=20)
    assert found["requests"] > 20


@compiled
class Quoter(Agent):
    """Sends two orders in one call every second."""

    def on_start(self, market):
        market.wake_after(1_000_000_000)

    def on_timer(self, market):
        market.buy(market.opening_ticks - 50, 1)
        market.sell(market.opening_ticks + 50, 1)
        market.wake_after(1_000_000_000)


def test_requests_and_fills_are_counted_one_by_one():
    assert check_agent(Quoter(), seconds=10.5) == {"requests": 20, "fills": 0}
    assert check_agent(agents.NoiseTrader(rate_hz=5.0), seconds=20)["fills"] > 10


def test_an_agent_that_remembers_the_last_run_is_found():
    class Remembers(Quoter):
        is_compiled = False
        calls = []

        def on_timer(self, market):
            self.calls.append(1)
            market.buy(market.opening_ticks - 50 - len(self.calls), 1)
            market.wake_after(1_000_000_000)

    with pytest.raises(AgentError, match=r"Remembers: two runs with one seed differ from row [\d,]+ of the tape on at 1,0\d\d,\d{3},\d{3} ns"):
        check_agent(Remembers, seconds=5)


def test_an_agent_that_draws_from_a_stream_of_its_own_making_is_found():
    class Rolls(Quoter):
        is_compiled = False

        def on_timer(self, market):
            market.buy(market.opening_ticks - np.random.default_rng().integers(1, 1000), 1)
            market.wake_after(100_000_000)

    with pytest.raises(AgentError, match="two runs with one seed differ"):
        check_agent(Rolls, seconds=5)


def test_an_agent_that_does_otherwise_as_native_code_is_found():
    @compiled
    class Overflows(Quoter):
        big: int = 2**40 + 1

        def on_timer(self, market):
            # Native integers are of 64 bits, Python's of any length.
            market.buy(market.opening_ticks - self.big * self.big % 97, 1)

    with pytest.raises(AgentError, match="Overflows: the plain and the compiled run differ from row"):
        check_agent(Overflows, seconds=3)


def test_a_final_state_that_differs_is_found_though_the_tapes_are_equal():
    @compiled
    class Counts(Quoter):
        big: int = 1

        def on_timer(self, market):
            self.big = self.big * 2**40 * 2**40 % 1_000_003
            market.wake_after(1_000_000_000)

    with pytest.raises(AgentError, match=r"Counts\.big: the plain and the compiled run end with"):
        check_agent(Counts, seconds=3)


def test_a_request_that_no_exchange_can_read_is_found_with_its_reason():
    class Crazy(Agent):
        def on_start(self, market):
            market.buy(0, 5)

    with pytest.raises(AgentError, match=r"Crazy: its LIMIT at [\d,]+ ns is refused: PRICE_OUT_OF_RANGE \(price_ticks 0, lots 5\)"):
        check_agent(Crazy, seconds=1)


def test_a_refusal_that_the_market_caused_is_no_fault():
    class Slow(Agent):
        def on_start(self, market):
            market.cancel(market.market_order(1, 5))
            market.buy(2**31, 1, post_only=True)

    assert check_agent(Slow, seconds=3)["requests"] == 3


@pytest.mark.parametrize("thing", [5, "Quoter", Quoter.on_timer, int])
def test_what_is_no_agent_is_refused(thing):
    with pytest.raises(AgentError, match="check_agent takes an Agent class or an instance of one"):
        check_agent(thing)


def test_an_agent_that_shares_its_numbers_with_another_is_found():
    class Shares(Quoter):
        is_compiled = False
        numbers = np.random.default_rng(5)

        def on_start(self, market):
            Shares.numbers = np.random.default_rng(5)
            market.wake_after(1_000_000_000)

        def on_timer(self, market):
            market.buy(market.opening_ticks - self.numbers.integers(1, 1000), 1)
            market.wake_after(100_000_000)

    with pytest.raises(AgentError, match="Shares: a run alone and one beside a twin in another market differ from row"):
        check_agent(Shares, seconds=5)


def test_an_agent_that_speaks_of_orders_it_has_not_sent_is_found():
    class Guesses(Agent):
        def on_start(self, market):
            market.cancel(2_000_000_000_001)

    with pytest.raises(AgentError, match=r"Guesses: its CANCEL at [\d,]+ ns speaks of order 2000000000001, which it has not sent"):
        check_agent(Guesses, seconds=1)
