"""The audit: every invariant of a book by full scan. Slow and obvious; called all over the tests and by OrderBook.check()."""
from itertools import product

import numpy as np

from lob.exchange.book import LOW_32, book_at, find, tag_of
from lob.exchange.ladder import PAGE, PAGE_KEYS, TIER_WORDS, key_of
from lob.exchange.rules.pages import LIMITS_OF_PEGS, LIMITS_OF_STOPS, OFFSETS_OF_PEGS
from lob.exchange.rules.pegs import stray_peg
from lob.exchange.rules.phases import can_be_crossed, collects
from lob.exchange.rules.state import AT_MARKET, HIDDEN, ICEBERG, NEVER, PEGGED, STOP, TIMED
from lob.exchange.venue import Venue
from lob.jit import jit
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Phase

KINDS = (0, HIDDEN, STOP, AT_MARKET)  # of the ladders, in pairs


@jit
def find_at(book_address, owner, order_id):
    return find(book_at(book_address, 0), owner, order_id)


def check_book(memory):
    """Assert that every invariant of a BookMemory's book holds. Costs a scan of all that is in use."""
    book, rules = memory.book[0], memory.rules
    seen = set()
    ladders = [*memory.ladders, *(rules.ladders if rules else [])]
    for number, ladder in enumerate(ladders):
        # Bids and asks, hidden ones, and stops, which lie in the order of the other side: the one triggered first is the best.
        _check_side(memory, ladder, 1 - 2 * (number % 2), KINDS[number // 2], seen)
    assert len(seen) == book["order_count"], "every order of the book is in one queue"
    _check_map(memory, seen)
    _check_free(memory, seen)
    _check_rules(memory, seen)
    if rules:
        _check_pegs(memory)
    phase = Phase(int(rules.record["phase"][0])) if rules else Phase.CONTINUOUS
    if can_be_crossed(phase):
        return
    for bids, asks in product(ladders[0:4:2], ladders[1:4:2]):
        bid, ask = int(bids.ladder["best_key"][0]), int(asks.ladder["best_key"][0])
        assert not (bid and ask) or bid < PRICE_MAX_TICKS + 1 - ask, "the book is not crossed"


def _check_rules(memory, seen):
    """Check what the rules count and remember against the orders themselves."""
    book, rules = memory.book[0], memory.rules
    orders = memory.orders[sorted(seen)]
    kinds = orders["kind"]
    modes = rules.owner_modes() if rules else {}
    settings = memory.venue != Venue()
    away = rules is not None and rules.record["phase"][0] != Phase.CONTINUOUS
    assert book["armed"] == np.count_nonzero(kinds) + len(modes) + settings + away, "a plain order, owner, venue or phase arms nothing"
    if rules is None:
        return
    record, extras = rules.record[0], rules.extras[sorted(seen)]
    icebergs, stops = extras[(kinds & ICEBERG) != 0], (kinds & STOP) != 0
    assert len(rules.extras) == len(memory.orders) and len(np.unique(extras["entry"][kinds != 0])) == np.count_nonzero(kinds)
    assert record["stop_count"] == stops.sum() and record["stop_lots"] == orders["lots"][stops].sum(), "every stop is counted"
    assert record["refills"] == -(-icebergs["reserve"] // np.maximum(icebergs["display"], 1)).sum(), "every slice is counted"
    assert (orders["lots"][(kinds & ICEBERG) != 0] <= icebergs["display"]).all() and (icebergs["reserve"] >= 0).all(), "an iceberg shows no more than it says"
    timed = (kinds & TIMED) != 0
    assert record["timed_count"] == timed.sum() and record["triggered"] and rules.triggered.record["count"][0] == 0
    live = np.sort(rules.live_expiries(memory.orders), order=["time_ns", "sequence"])
    planned = sorted(extras[timed][["expiry_ns", "entry"]].tolist())
    assert live[["time_ns", "sequence"]].tolist() == planned, "every order with an expiry is planned to expire, once"
    last, triggers, sides = book["last_trade_ticks"], extras["trigger_ticks"][stops], orders["side"][stops].astype(int)
    phase = Phase(int(record["phase"]))
    ends = record["phase_end_ns"] != NEVER
    assert record["tripped"] == 0 and (not ends or phase in (Phase.BATCH, memory.venue.breaker_phase)), "only these phases end by themselves"
    assert not (kinds & AT_MARKET).any() or collects(phase), "market orders wait for an auction only"
    assert phase != Phase.CONTINUOUS or last == 0 or (sides * (last - triggers) < 0).all(), "no stop waits that a trade has reached"
    assert (orders["key"][stops] == np.where(sides > 0, PRICE_MAX_TICKS + 1 - triggers, triggers)).all(), "a stop waits at its trigger"
    _check_volumes(rules.fees, orders["owner"])
    owners = rules.modes["owner"][:record["mode_count"]]
    assert np.array_equal(owners, np.unique(owners)) and record["mode_count"] <= record["mode_capacity"] == len(rules.modes), "owners are sorted"
    _check_planned(rules, orders, extras)


def _check_planned(rules, orders, extras):
    """Check that the pages that stops and pegged orders may come to need are counted: those of their limits, and of the pegged ones' offsets."""
    kinds, sides, limits = orders["kind"], orders["side"].astype(int), extras["price_ticks"]
    numbers = {
        LIMITS_OF_STOPS: (np.where(sides > 0, limits, PRICE_MAX_TICKS + 1 - limits), (kinds & STOP != 0) & (limits > 0)),
        LIMITS_OF_PEGS: (np.where(sides > 0, limits, PRICE_MAX_TICKS + 1 - limits), kinds & PEGGED != 0),
        OFFSETS_OF_PEGS: (extras["offset_ticks"], kinds & PEGGED != 0),
    }
    for what, (values, are_meant) in numbers.items():
        for side in (1, -1):
            found, counts = np.unique(values[are_meant & (sides == side)] // PAGE_KEYS, return_counts=True)
            planned = rules.planned[what + (side < 0)]["value"]
            assert np.array_equal(np.flatnonzero(planned), found) and np.array_equal(planned[found], counts), "every page that may be needed is counted"
            assert rules.record["planned"][0, what + (side < 0)]["pages"] == len(found)


def _check_volumes(fees, owners):
    """Check that everybody who may trade is noted once, in the tier of the lots traded, where there are tiers."""
    if len(fees.tiers) < 2:
        return
    known, record = fees.known_volumes(), fees.record[0]
    assert np.isin(owners, known["owner"]).all() and len(np.unique(known["owner"])) == len(known) == record["owner_count"], "every owner is noted, once"
    assert 2 * len(known) <= len(fees.volumes) == record["volume_mask"] + 1, "the table is half empty"
    assert (known["tier"] == np.searchsorted(fees.tiers["from_lots"], known["lots"], side="right")).all(), "an owner is in the tier of its volume"


def _check_pegs(memory):
    """Check that pegged orders are lined up by entry, and rest where the touch that they saw puts them, within their limits."""
    record, orders, extras = memory.rules.record[0], memory.orders, memory.rules.extras
    pegs = np.flatnonzero(orders["kind"] & PEGGED)
    line, before, slot = [], 0, int(record["first_peg"])
    while slot:
        assert extras["before"][slot] == before, "pegged orders are linked both ways"
        line.append(slot)
        before, slot = slot, int(extras["behind"][slot])
    assert line == pegs[np.argsort(extras["entry"][pegs])].tolist() and record["last_peg"] == before, "pegged orders stand in the order of their entry"
    assert record["peg_count"] == len(pegs) and record["peg_lots"] == orders["lots"][pegs].sum(), "every pegged order is counted"
    assert stray_peg(memory.address) == 0, "a pegged order follows the touch"
    for slot in line:
        side, key = int(orders["side"][slot]), int(orders["key"][slot])
        price_ticks = key_of.py_func(side, key)
        assert orders["kind"][slot] & HIDDEN and side * (extras["price_ticks"][slot] - price_ticks) >= 0, "a pegged order rests hidden and within its limit"


def _pages(ladder):
    """Return {page number: PAGE record} of the pages in use."""
    numbers = np.flatnonzero(ladder.directory)
    blocks = [(block.ctypes.data, block) for block in ladder.blocks]
    pages = {}
    for number in numbers:
        address = int(ladder.directory[number])
        start, block = next((s, b) for s, b in blocks if s <= address < s + b.nbytes)
        assert (address - start) % PAGE.itemsize == 0, "a page begins where a page begins"
        pages[int(number)] = block[(address - start) // PAGE.itemsize]
    return pages


def _check_side(memory, ladder, side, kind, seen):
    keys = []
    pages = _pages(ladder)
    for number, page in pages.items():
        levels = page["levels"]
        occupied = np.flatnonzero(levels["head"])
        bits = np.unpackbits(page["words"].view(np.uint8), bitorder="little")
        assert np.array_equal(np.flatnonzero(bits), occupied), "a bit for each occupied level and no other"
        assert np.array_equal(np.flatnonzero(np.unpackbits(np.array([page["summary"]]).view(np.uint8), bitorder="little")), np.unique(occupied // 64))
        assert len(occupied), "an empty page is given back"
        empty = np.delete(levels, occupied)
        assert not empty["lots"].any() and not empty["tail"].any(), "an empty level is all zeros"
        for i in occupied:
            key = number * PAGE_KEYS + int(i)
            keys.append(key)
            _check_queue(memory, levels[i], key, side, kind, seen)
    assert ladder.ladder["best_key"][0] == max(keys, default=0), "the best key is the highest that is occupied"
    _check_tiers(ladder, sorted(pages))
    free = _free_page_count(ladder)
    assert free == ladder.ladder["free_pages"][0] and free + len(pages) == sum(len(b) for b in ladder.blocks), "no page is lost"


def _check_tiers(ladder, numbers):
    start = 0
    for words in TIER_WORDS:
        bits = np.unpackbits(ladder.tiers[start:start + words].view(np.uint8), bitorder="little")
        assert np.array_equal(np.flatnonzero(bits), np.unique(numbers)), "each tier shows the pages in use"
        numbers, start = np.array(numbers, dtype=int) // 64, start + words


def _free_page_count(ladder):
    addresses = {block.ctypes.data + i * PAGE.itemsize: block[i] for block in ladder.blocks for i in range(len(block))}
    address, count = int(ladder.ladder["free_page"][0]), 0
    while address:
        page = addresses.pop(address)
        assert page["summary"] == 0 and not page["words"].any() and not page["levels"]["head"].any(), "a free page is empty"
        address, count = int(page["next_free"]), count + 1
    return count


def _check_queue(memory, level, key, side, kind, seen):
    slot, previous, lots = int(level["head"]), 0, 0
    while slot:
        order = memory.orders[slot]
        assert slot not in seen, "an order is in one queue once"
        seen.add(slot)
        assert order["prev"] == previous and order["key"] == key and order["side"] == side, "the queue is linked both ways at its own price"
        assert order["kind"] & (HIDDEN | STOP | AT_MARKET) == kind, "an order lies in the ladder of its kind"
        assert 1 <= order["lots"] <= LOTS_MAX and order["owner"] >= 0 and order["id"] >= 1
        assert find_at(memory.address, order["owner"], order["id"]) == slot, "the map finds every order"
        lots, previous, slot = lots + int(order["lots"]), slot, int(order["next"])
    assert level["tail"] == previous and level["lots"] == lots, "a level sums its orders"


def _check_map(memory, seen):
    words = memory.map[memory.map != 0]
    slots = (words & LOW_32).tolist()
    assert sorted(slots) == sorted(seen), "the map holds the resting orders and no other"
    for word, slot in zip(words.tolist(), slots, strict=True):
        order = memory.orders[slot]
        assert (word >> 32) & LOW_32 == tag_of(order["owner"], order["id"]), "an entry carries its order's tag"
    places, tags = np.flatnonzero(memory.map), words >> 32
    homes = tags >> memory.book["map_shift"][0] << 3 | tags & 7
    displacement = np.full(len(memory.map), -1)
    displacement[places] = (places - homes) & memory.book["map_mask"][0]
    assert (displacement <= np.roll(displacement, 1) + 1).all(), "entries stand in the order of their homes, without a gap between home and entry"


def _check_free(memory, seen):
    slot, capacity = (int(memory.book[0][name]) for name in ("free_order", "order_capacity"))
    steps, free = memory.orders["next"].tolist(), []
    while slot < capacity and len(free) < capacity:
        free.append(slot)
        slot += 1 + steps[slot]
    orders = memory.orders[free]
    assert set(free).isdisjoint(seen) and not orders["lots"].any() and not orders["kind"].any(), "a free slot is not in use"
    assert slot == capacity == len(set(free)) + len(seen) + 1, "no slot is lost"
