"""Random markets with more than plain orders, for tests that must know every kind of resting order and every phase of a day."""
import numpy as np
from random_market import AGENTS, INSTRUMENT, VENUE, random_requests, ruled_requests

from lob.exchange.order_book import OrderBook
from lob.messages import Action, Flag, Phase
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


def day_tape(count, seed):
    """Return the tape of requests of every kind in a book that goes through every phase, most often back to continuous trading."""
    requests, random = ruled_requests(count, seed), np.random.default_rng([seed, 2])
    is_move = random.random(count) < 0.05
    phases = random.choice([phase for phase in Phase if phase != Phase.BATCH] + [Phase.CONTINUOUS] * 7, count)
    for name, values in (("action", Action.PHASE), ("owner", 0), ("price_ticks", phases)):
        requests[name] = np.where(is_move, values, requests[name])
    return Tape(OrderBook(venue=VENUE).send_many(requests), {"agents": AGENTS, "instrument": INSTRUMENT, "scenario": "day"})
