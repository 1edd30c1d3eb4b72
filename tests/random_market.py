"""A market of random requests, for tests that need a tape before there is a simulation."""
import numpy as np

from lob.exchange.order_book import OrderBook
from lob.exchange.venue import FeeTier, Venue
from lob.messages import PRICE_MAX_TICKS, REQUEST, Action, Flag
from lob.tape.record import Tape

KINDS = (("SymmetricMaker", "maker"), ("NoiseTrader", "flow"), ("InformedTrader", "informed"))
OWNERS = 6
AGENTS = [
    {"owner": owner, "name": f"agent-{owner}", "kind": KINDS[owner % 3][0], "role": KINDS[owner % 3][1], "parameters": {}} for owner in range(1, OWNERS + 1)
]
INSTRUMENT = {"name": "XYZ", "tick_size": "0.01", "lot_size": "1", "maker_fee": "-0.002", "taker_fee": "0.003"}
VENUE = Venue(fees=(FeeTier(maker_microticks=-200_000, taker_microticks=300_000),))


def random_requests(count, seed, price_step_ticks=1, book=0):
    """Return REQUEST[count] of limit, market, cancel and replace requests around 10,000 ticks, some refused; about 20 ms apart."""
    random = np.random.default_rng(seed)
    requests = np.zeros(count, REQUEST)
    requests["time_ns"] = np.cumsum(random.integers(0, 40_000_000, count))
    requests["sent_ns"] = requests["time_ns"] - random.integers(1, 300_000, count)
    chance = random.random(count)
    is_new = chance < 0.6
    newest = np.cumsum(is_new)
    requests["order_id"] = np.where(is_new, newest, np.maximum(newest - random.integers(0, 60, count), 1))
    requests["owner"] = random.integers(1, OWNERS + 1, count + 1)[requests["order_id"]]
    requests["action"] = np.select([chance < 0.45, chance < 0.6, chance < 0.85], [Action.LIMIT, Action.MARKET, Action.CANCEL], Action.REPLACE)
    requests["side"] = random.choice([-1, 1], count)
    requests["price_ticks"] = 10_000 - requests["side"] * random.integers(-2, 8, count) * price_step_ticks
    requests["lots"] = random.integers(1, 10, count)
    requests["lots"][(requests["action"] == Action.CANCEL) & (random.random(count) < 0.7)] = 0
    is_limit = requests["action"] == Action.LIMIT
    requests["tif"] = np.where(is_limit, random.choice([0, 0, 0, 0, 1, 2], count), 0)
    requests["flags"] = np.where(is_limit & (requests["tif"] == 0), random.choice([0, Flag.POST_ONLY], count), 0)
    requests["book"] = book
    return requests


KINDS_OF_LIMITS = [
    0, 0, Flag.POST_ONLY, Flag.POST_ONLY | Flag.SLIDE, Flag.HIDDEN, Flag.ICEBERG, Flag.STOP, Flag.MINIMUM, Flag.MINIMUM | Flag.HIDDEN,
    Flag.PEG_NEAR, Flag.PEG_MID, Flag.PEG_FAR,
]


def ruled_requests(count, seed, book=0):
    """Return REQUEST[count] of every kind there is: few prices, orders that expire, mass cancels, some refused."""
    random = np.random.default_rng(seed)
    requests = random_requests(count, seed, book=book)
    is_limit, is_market = requests["action"] == Action.LIMIT, requests["action"] == Action.MARKET
    requests["tif"][is_limit] = random.choice([0, 1, 2, 3], is_limit.sum(), p=[0.6, 0.05, 0.05, 0.3])
    requests["flags"][is_limit] = random.choice([int(kind) for kind in KINDS_OF_LIMITS], is_limit.sum())
    requests["flags"][is_market] = random.choice([0, int(Flag.STOP), int(Flag.TO_LIMIT)], is_market.sum())
    requests["action"][random.random(count) < 0.01] = Action.MASS_CANCEL
    requests["trigger_ticks"] = np.where(requests["action"] == Action.MASS_CANCEL, PRICE_MAX_TICKS, 10_000 + random.integers(-8, 9, count))
    requests["display_lots"], requests["min_lots"] = random.integers(1, 6, count), random.integers(1, 8, count)
    requests["offset_ticks"] = random.choice([0, 0, 1, 3], count)
    requests["expiry_ns"] = requests["time_ns"] + random.integers(0, 4_000_000_000, count)
    return requests


def random_tape(count, seed, **provenance):
    """Return the tape that an engine makes of random requests."""
    facts = {"agents": AGENTS, "instrument": INSTRUMENT, "venue": VENUE.as_plain(), "scenario": "random"}
    return Tape(OrderBook(venue=VENUE).send_many(random_requests(count, seed)), facts | provenance)
