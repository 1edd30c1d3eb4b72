"""The ladder: the price levels of one side, the best one at hand.

Owns which prices are occupied and what rests at each. Knows no order and no matching rule.

A price is held as a *key* that grows with urgency: the price itself for a bid, PRICE_MAX_TICKS + 1 - price for an ask. So the best level is the
highest key on either side, an empty side has best_key 0, and one code serves buyers and sellers. Levels lie in pages of 4,096 neighbouring
prices, made when a price in them is first used and given back when the last one empties; a directory finds the page of any price in one
read. Each page has a bitmap of its levels (64 words and a summary word), and three tiers of bitmaps say which pages are in use.

Cost: a level is reached in three reads. When the best level empties, the next one is usually in the same word. Worst case: it lies pages
away, and up to three tier words are read on the way up and two on the way down, then the summary and the word of the new page.
"""
import numpy as np

from lob.exchange.lines import untouched
from lob.jit import jit, leading_zeros, pool_reader
from lob.messages import PRICE_MAX_TICKS

PAGE_KEYS = 4096
PAGE_COUNT = PRICE_MAX_TICKS // PAGE_KEYS + 1

# Words of the three tiers that cover PAGE_COUNT pages, 64 to a bit of the next; all in one array.
TIER_WORDS = (PAGE_COUNT // 64 + 1, PAGE_COUNT // 64**2 + 1, PAGE_COUNT // 64**3 + 1)
TIER_1, TIER_2 = TIER_WORDS[0], TIER_WORDS[0] + TIER_WORDS[1]

LADDER = np.dtype(
    [
        ("best_key", "i8"),
        ("directory", "i8"),    # address of PAGE_COUNT page addresses, 0 where there is none
        ("tiers", "i8"),        # address of the tier words
        ("free_page", "i8"),    # address of the first unused page, each names the next
        ("free_pages", "i8"),
        ("spare", "i8", 3),     # a cache line each
    ],
    align=True,
)
LEVEL = np.dtype([("lots", "i8"), ("head", "i4"), ("tail", "i4")], align=True)
WORD = np.dtype([("value", "i8")], align=True)
PAGE = np.dtype([("summary", "i8"), ("next_free", "i8"), ("words", "i8", PAGE_KEYS // 64), ("levels", LEVEL, PAGE_KEYS)], align=True)
WORDS_OFFSET, LEVELS_OFFSET = PAGE.fields["words"][1], PAGE.fields["levels"][1]
PAGE_BYTES = PAGE.itemsize
HEADER = np.dtype([("summary", "i8"), ("next_free", "i8")], align=True)

ladder_at, level_at, word_at, header_at = pool_reader(LADDER), pool_reader(LEVEL), pool_reader(WORD), pool_reader(HEADER)


@jit(inline=True)
def is_price(price_ticks):
    """Return whether an order can stand at a price."""
    return price_ticks >= 1 and price_ticks <= PRICE_MAX_TICKS


@jit(inline=True)
def key_of(side, price_ticks):
    """Return the key under which a side's ladder holds a price. It is its own inverse: key_of(side, key) is the price."""
    return price_ticks if side > 0 else PRICE_MAX_TICKS + 1 - price_ticks


@jit(inline=True)
def highest_bit(word):
    """Return the number of the highest set bit, 0 to 63; undefined for zero."""
    return 63 - leading_zeros(word)


@jit(inline=True)
def _below(word, i):
    """Return a word's bits below bit i & 63."""
    # Not (1 << i) - 1: numba promises the compiler that a signed difference does not overflow, and that of bit 63 does.
    return word & ~(-1 << (i & 63))


@jit(inline=True)
def page_of(ladder, key):
    """Return the address of the page that holds `key`, 0 if there is none."""
    return word_at(ladder.directory, key >> 12).value


@jit(inline=True)
def level_of(page, key):
    return level_at(page + LEVELS_OFFSET, key & 4095)


@jit(inline=True)
def lots_at(ladder, key):
    """Return the lots that rest at a key."""
    page = page_of(ladder, key)
    return level_of(page, key).lots if page else 0


@jit(inline=True)
def open_level(ladder, key):
    """Return the level of `key`, its page made if need be. The caller has seen to it that a free page is there."""
    page = page_of(ladder, key)
    if page == 0:
        page = _take_page(ladder, key >> 12)
    return level_of(page, key)


@jit(inline=True)
def occupy(ladder, key):
    """Mark the level of `key` as occupied; its page exists."""
    page = page_of(ladder, key)
    i = (key & 4095) >> 6
    word_at(page + WORDS_OFFSET, i).value |= 1 << (key & 63)
    header_at(page, 0).summary |= 1 << i
    if key > ladder.best_key:
        ladder.best_key = key


@jit(inline=True)
def vacate(ladder, key):
    """Mark the level of `key` as empty and find the new best if it was the best; an empty page is given back."""
    page = page_of(ladder, key)
    i = (key & 4095) >> 6
    word = word_at(page + WORDS_OFFSET, i)
    word.value &= ~(1 << (key & 63))
    if word.value == 0:
        header = header_at(page, 0)
        header.summary &= ~(1 << i)
        if header.summary == 0:
            _give_page(ladder, key >> 12)
    if key == ladder.best_key:
        ladder.best_key = next_key(ladder, key)


@jit(inline=True)
def next_key(ladder, key):
    """Return the highest occupied key below `key`, 0 if there is none: the next level behind it."""
    page = page_of(ladder, key)
    if page:
        i = (key & 4095) >> 6
        word = _below(word_at(page + WORDS_OFFSET, i).value, key)
        if word:
            return (key >> 6 << 6) | highest_bit(word)
        summary = _below(header_at(page, 0).summary, i)
        if summary:
            return _highest_in(page, key >> 12, summary)
    number = _previous_page(ladder, key >> 12)
    if number < 0:
        return 0
    page = word_at(ladder.directory, number).value
    return _highest_in(page, number, header_at(page, 0).summary)


@jit(inline=True)
def _highest_in(page, number, summary):
    i = highest_bit(summary)
    return number << 12 | i << 6 | highest_bit(word_at(page + WORDS_OFFSET, i).value)


@jit(inline=True)
def _tier_start(tier):
    return 0 if tier == 0 else (TIER_1 if tier == 1 else TIER_2)


@jit
def _previous_page(ladder, number):
    """Return the highest page in use below `number`, -1 if there is none: up the tiers to a set bit, then down to its page."""
    i, tier = number, 0
    while tier < 3:
        word = _below(word_at(ladder.tiers, _tier_start(tier) + (i >> 6)).value, i)
        i >>= 6
        if word:
            return _descend(ladder, tier, i << 6 | highest_bit(word))
        tier += 1
    while i > 0:
        i -= 1
        word = word_at(ladder.tiers, TIER_2 + i).value
        if word:
            return _descend(ladder, 2, i << 6 | highest_bit(word))
    return -1


@jit
def _descend(ladder, tier, i):
    while tier > 0:
        tier -= 1
        i = i << 6 | highest_bit(word_at(ladder.tiers, _tier_start(tier) + i).value)
    return i


@jit
def _take_page(ladder, number):
    page = ladder.free_page
    ladder.free_page = header_at(page, 0).next_free
    ladder.free_pages -= 1
    word_at(ladder.directory, number).value = page
    i = number
    for tier in range(3):
        word_at(ladder.tiers, _tier_start(tier) + (i >> 6)).value |= 1 << (i & 63)
        i >>= 6
    return page


@jit
def _give_page(ladder, number):
    # The page is all zeros again but for next_free: empty levels have no lots, head or tail.
    page = word_at(ladder.directory, number).value
    word_at(ladder.directory, number).value = 0
    add_free_page(ladder, page)
    i = number
    for tier in range(3):
        word = word_at(ladder.tiers, _tier_start(tier) + (i >> 6))
        word.value &= ~(1 << (i & 63))
        if word.value:
            break
        i >>= 6


@jit(inline=True)
def add_free_page(ladder, page):
    header_at(page, 0).next_free = ladder.free_page
    ladder.free_page = page
    ladder.free_pages += 1


@jit
def add_free_pages(ladder_address, pages, count):
    """Put `count` zero-filled pages, which begin at the address `pages`, at a ladder's disposal."""
    ladder = ladder_at(ladder_address, 0)
    for i in range(count):
        add_free_page(ladder, pages + i * PAGE_BYTES)


class LadderMemory:
    """The memory behind one LADDER record: allocates, and grows between requests."""

    def __init__(self, ladder, page_count=4):
        self.ladder = ladder
        self.directory = untouched(PAGE_COUNT, np.int64)
        self.tiers = np.zeros(sum(TIER_WORDS), np.int64)
        self.blocks = []
        ladder["directory"], ladder["tiers"] = self.directory.ctypes.data, self.tiers.ctypes.data
        self.add_pages(page_count)

    @property
    def page_count(self):
        """How many pages there are, used or free."""
        return sum(len(block) for block in self.blocks)

    def keep_free(self, count):
        """Add pages until `count` are free."""
        while self.ladder["free_pages"][0] < count:
            self.add_pages()

    def add_pages(self, count=None):
        """Add `count` free pages, by default as many as there are."""
        count = count or self.page_count
        block = np.zeros(count, PAGE)
        self.blocks.append(block)
        add_free_pages(self.ladder.ctypes.data, block.ctypes.data, count)
