"""A random market in which orders are icebergs and hidden too, for tests that must know every kind of resting order."""
import numpy as np
from random_market import AGENTS, INSTRUMENT, VENUE, random_requests

from lob.exchange.order_book import OrderBook
from lob.messages import Action, Flag
from lob.tape.record import Tape


def ruled_tape(count, seed):
    """Return the tape that an engine makes of random requests, a sixth of the limit orders icebergs and a sixth hidden."""
    requests, random = random_requests(count, seed), np.random.default_rng([seed, 1])
    chance = random.random(count)
    is_plain = (requests["action"] == Action.LIMIT) & (requests["tif"] == 0) & (requests["flags"] == 0)
    is_iceberg, is_hidden = is_plain & (chance < 0.3), is_plain & (chance > 0.7)
    requests["lots"][is_iceberg] += 6
    requests["flags"][is_iceberg], requests["flags"][is_hidden] = Flag.ICEBERG, Flag.HIDDEN
    requests["display_lots"][is_iceberg] = random.integers(1, 5, is_iceberg.sum())
    return Tape(OrderBook(venue=VENUE).send_many(requests), {"agents": AGENTS, "instrument": INSTRUMENT, "scenario": "ruled"})
