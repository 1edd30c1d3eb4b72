"""bourse: a hundred Python agents of its own, in its own simulation by steps."""
import bourse
from bourse.step_sim.agents import BaseAgent

OPENING_TICKS, TICKS_AWAY_MAX = 10_000, 20


class Teller(BaseAgent):
    """Sends one instruction a step: an order some ticks from the opening price, then its cancel."""

    def __init__(self, number):
        self.number, self.order_id = number, None

    def update(self, rng, env):
        if self.order_id is not None:
            env.cancel_order(self.order_id)
            self.order_id = None
            return
        side = 1 if rng.uniform() < 0.5 else -1
        self.order_id = env.place_order(side > 0, 1, self.number, price=OPENING_TICKS - side * int(rng.integers(1, TICKS_AWAY_MAX)))


class Crowd:
    """A simulation of some agents."""

    def __init__(self, count, seed):
        self.count, self.seed = count, seed
        self.env = bourse.core.StepEnv(seed, 0, 1, 1_000_000)
        self.agents = [Teller(number) for number in range(count)]

    def run(self, steps):
        """Run some steps; return how many calls of agents there were."""
        bourse.step_sim.run(self.env, self.agents, steps, self.seed, show_progress=False)
        return steps * self.count
