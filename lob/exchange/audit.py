"""The audit: every invariant of a book by full scan. Slow and obvious; called all over the tests and by OrderBook.check()."""
import numpy as np

from lob.exchange.book import LOW_32, book_at, find, tag_of
from lob.exchange.ladder import PAGE, PAGE_KEYS, TIER_WORDS
from lob.jit import jit
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS


@jit
def find_at(book_address, owner, order_id):
    return find(book_at(book_address, 0), owner, order_id)


def check_book(memory):
    """Assert that every invariant of a BookMemory's book holds. Costs a scan of all that is in use."""
    book = memory.book[0]
    seen = set()
    for side, ladder in ((1, memory.ladders[0]), (-1, memory.ladders[1])):
        _check_side(memory, ladder, side, seen)
    assert len(seen) == book["order_count"], "every order of the book is in one queue"
    _check_map(memory, seen)
    _check_free(memory, seen)
    bid, ask = (int(ladder.ladder["best_key"][0]) for ladder in memory.ladders)
    assert not (bid and ask) or bid < PRICE_MAX_TICKS + 1 - ask, "the book is not crossed"


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


def _check_side(memory, ladder, side, seen):
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
            _check_queue(memory, levels[i], key, side, seen)
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


def _check_queue(memory, level, key, side, seen):
    slot, previous, lots = int(level["head"]), 0, 0
    while slot:
        order = memory.orders[slot]
        assert slot not in seen, "an order is in one queue once"
        seen.add(slot)
        assert order["prev"] == previous and order["key"] == key and order["side"] == side, "the queue is linked both ways at its own price"
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
    book, free = memory.book[0], set()
    slot = int(book["free_order"])
    while slot < book["order_capacity"]:
        assert slot not in seen and slot not in free and memory.orders[slot]["lots"] == 0, "a free slot is not in use"
        free.add(slot)
        slot += 1 + int(memory.orders[slot]["next"])
    assert slot == book["order_capacity"] == len(free) + len(seen) + 1, "no slot is lost"
