"""The call auction: the one price at which most can trade, and the trades at it.

Owns the price and its execution; when an auction is held is the phases' to say. The price is found in four steps among all whole ticks: the most lots; then the
least surplus; then, if the surplus is on the same side at all prices that are left, the price furthest that way; else the price nearest to the reference price,
or without one the middle, rounded down. Source: Xetra T7 market model, price determination in auctions; Euronext Trading Manual, call auctions.

No price is tried out. Let the lots of each side stand in line, market orders first, then by limit. Matched from the front while bid meets ask they give
the volume V. The V-th lot bid and the V-th asked are the ends of the prices at which V can trade. Up to the limit of lot V + 1 of the bids there is a
surplus bid, and it is least at the highest such price; from the limit of lot V + 1 of the asks on there is a surplus asked, least at the lowest; between
them there is none.
Cost: one walk over the levels that cross and those behind them down to the price; with icebergs in the book also over the orders at these levels. Each trade is
O(1).
"""
from collections import namedtuple

import numpy as np

from lob.exchange.book import ladder_of, level_key, order_of, price_lots
from lob.exchange.ladder import key_of, level_of, lots_at, next_key, page_of
from lob.exchange.matcher import UNFILLED
from lob.exchange.reports import begin
from lob.exchange.rules.bands import reference_of
from lob.exchange.rules.fees import charge
from lob.exchange.rules.queues import MARKET_KEY, count_refills, forget, ladder_where, leave_queue, open_lots, take_off, tif_on_rows
from lob.exchange.rules.state import AT_MARKET, HIDDEN, ICEBERG, PEGGED, extra_of, fees_of, hidden_ladder, market_ladder, rules_of
from lob.exchange.rules.trading import head_in, next_resting
from lob.jit import jit
from lob.messages import PRICE_MAX_TICKS, Flag, ReportKind

# How far the lines meet: the volume V, the keys of lot V and of lot V + 1 on either side (0 where there is none), and how many lots are left at the latter.
Crossing = namedtuple("Crossing", "volume bid_key ask_key next_bid_key next_ask_key bid_lots ask_lots")
AUCTION, FILL, IN_AUCTION = int(ReportKind.AUCTION), int(ReportKind.FILL), int(Flag.AUCTION)


# The line of a side: market orders at MARKET_KEY, then the limits, displayed or not.

@jit
def _key_behind(book, side, key):
    """Return the most urgent key of a side's limits behind `key`, 0 if there is none."""
    return max(next_key(ladder_of(book, side), key), next_key(hidden_ladder(rules_of(book), side), key))


@jit
def _best_limit(book, side):
    """Return the best limit of a side, displayed or not, 0 if there is none."""
    key = _key_behind(book, side, MARKET_KEY)
    return key_of(side, key) if key else 0


@jit
def _lots_at(book, side, key):
    """Return all lots of a side at a key: shown, in the reserve of icebergs, hidden, or at the market."""
    rules = rules_of(book)
    if key == MARKET_KEY:
        return lots_at(market_ladder(rules, side), key)
    lots = lots_at(ladder_of(book, side), key) + lots_at(hidden_ladder(rules, side), key)
    slot = head_in(ladder_of(book, side), key) if rules.refills else 0
    while slot:
        order = order_of(book, slot)
        lots += extra_of(book, slot).reserve if order.kind & ICEBERG else 0
        slot = order.next
    return lots


@jit
def _crossing(book):
    """Match both lines from the front while bid meets ask; return how far that goes, a Crossing."""
    bid_key, ask_key, volume, last_bid_key, last_ask_key = MARKET_KEY, MARKET_KEY, 0, 0, 0
    bid_lots, ask_lots = _lots_at(book, 1, bid_key), _lots_at(book, -1, ask_key)
    # The keys of one price on the two sides sum up to PRICE_MAX_TICKS + 1.
    while bid_key and ask_key and bid_key + ask_key > PRICE_MAX_TICKS:
        traded = min(bid_lots, ask_lots)
        if traded:
            last_bid_key, last_ask_key = bid_key, ask_key
        volume, bid_lots, ask_lots = volume + traded, bid_lots - traded, ask_lots - traded
        if bid_lots == 0:
            bid_key = _key_behind(book, 1, bid_key)
            bid_lots = _lots_at(book, 1, bid_key) if bid_key else 0
        if ask_lots == 0:
            ask_key = _key_behind(book, -1, ask_key)
            ask_lots = _lots_at(book, -1, ask_key) if ask_key else 0
    return Crossing(volume, last_bid_key, last_ask_key, bid_key, ask_key, bid_lots, ask_lots)


@jit
def _lots_left(book, side, key, lots, price_ticks):
    """Return how many more lots of a side are bid or asked at a price, from a key on at which so many lots are left."""
    last, left = key_of(side, price_ticks), 0
    while key >= last and key > 0:
        left += lots
        key = _key_behind(book, side, key)
        lots = _lots_at(book, side, key) if key else 0
    return left


@jit
def _bids_left(book, crossing, price_ticks):
    return _lots_left(book, 1, crossing.next_bid_key, crossing.bid_lots, price_ticks)


@jit
def _asks_left(book, crossing, price_ticks):
    return _lots_left(book, -1, crossing.next_ask_key, crossing.ask_lots, price_ticks)


# The price.

@jit
def auction_price(book):
    """Return (price_ticks, lots, surplus_lots) of an auction held now: lots bid less those asked at the price; all 0 if nothing trades."""
    crossing = _crossing(book)
    bid_key, ask_key = crossing.bid_key, crossing.ask_key
    if crossing.volume == 0:
        return 0, 0, 0
    if bid_key == MARKET_KEY and ask_key == MARKET_KEY:
        price_ticks = _price_of_market_orders(book)
    elif bid_key == MARKET_KEY:
        low_ticks = key_of(-1, ask_key)
        price_ticks = _balanced_price(book, crossing, low_ticks, max(low_ticks, _best_limit(book, 1)))
    else:
        # Market orders set no limit: prices go no further their way than the best limit of that side, or than the volume needs.
        high_ticks = key_of(1, bid_key)
        best_ask_ticks = _best_limit(book, -1)
        end_ticks = min(high_ticks, best_ask_ticks) if best_ask_ticks else high_ticks
        price_ticks = _balanced_price(book, crossing, end_ticks if ask_key == MARKET_KEY else key_of(-1, ask_key), high_ticks)
    if price_ticks == 0:
        return 0, 0, 0
    return price_ticks, crossing.volume, _bids_left(book, crossing, price_ticks) - _asks_left(book, crossing, price_ticks)


@jit
def _price_of_market_orders(book):
    """Return the price where market orders alone make the volume: the reference price, but not through a limit; 0 if there is none."""
    price_ticks, best_ask_ticks = reference_of(book), _best_limit(book, -1)
    if price_ticks:
        price_ticks = max(price_ticks, _best_limit(book, 1))
        price_ticks = min(price_ticks, best_ask_ticks) if best_ask_ticks else price_ticks
    return price_ticks


@jit
def _nearest(book, low_ticks, high_ticks):
    """Return the price of a range that is nearest to the reference price."""
    reference_ticks = reference_of(book)
    return min(max(reference_ticks, low_ticks), high_ticks) if reference_ticks else (low_ticks + high_ticks) >> 1


@jit
def _balanced_price(book, crossing, low_ticks, high_ticks):
    """Return the price of least surplus among those from low to high, at all of which the same volume can trade."""
    # Lot V + 1 of either side: a bid of no limit is above every price, and one that is not there below.
    bid_ticks, ask_ticks = key_of(1, crossing.next_bid_key), key_of(-1, crossing.next_ask_key)
    first_ticks, last_ticks = max(low_ticks, bid_ticks + 1), min(high_ticks, ask_ticks - 1)
    if first_ticks <= last_ticks:
        return _nearest(book, first_ticks, last_ticks)
    top_ticks, bottom_ticks = min(bid_ticks, high_ticks), max(ask_ticks, low_ticks)
    if bottom_ticks > high_ticks:
        return top_ticks
    if top_ticks < low_ticks:
        return bottom_ticks
    bid_lots, ask_lots = _bids_left(book, crossing, top_ticks), _asks_left(book, crossing, bottom_ticks)
    if bid_lots != ask_lots:
        return top_ticks if bid_lots < ask_lots else bottom_ticks
    # The same surplus on either side: it stays so down to the next bid, and up to the next ask.
    next_bid_ticks, next_ask_ticks = key_of(1, _key_behind(book, 1, key_of(1, top_ticks))), key_of(-1, _key_behind(book, -1, key_of(-1, bottom_ticks)))
    return _nearest(book, max(low_ticks, next_bid_ticks + 1), min(high_ticks, next_ask_ticks - 1))


# The trades.

@jit
def uncross(book, request, reports, reason):
    """Hold the auction: write its price, its trades, and that market orders which are left over go. The book is not crossed then."""
    price_ticks, lots, surplus_lots = auction_price(book)
    row = begin(reports, request, AUCTION)
    row.order_id, row.owner, row.side, row.book, row.reason = 0, 0, 0, book.number, reason
    row.price_ticks, row.lots, row.level_lots = price_ticks, lots, surplus_lots
    if lots:
        book.last_trade_ticks = price_ticks
    while lots:
        lots -= _meet(book, request, reports, price_ticks, lots)
    for side in (1, -1):
        ladder = market_ladder(rules_of(book), side)
        while ladder.best_key:
            take_off(book, request, reports, head_in(ladder, ladder.best_key), UNFILLED)


@jit
def can_trade(book):
    """Return whether an auction would have anything to do: market orders that wait, or limits that cross."""
    rules = rules_of(book)
    bids, asks = _key_behind(book, 1, MARKET_KEY), _key_behind(book, -1, MARKET_KEY)
    crosses = bids > 0 and asks > 0 and bids + asks > PRICE_MAX_TICKS
    return crosses or market_ladder(rules, 1).best_key > 0 or market_ladder(rules, -1).best_key > 0


@jit
def _first_in_line(book, side, price_ticks):
    """Return the slot of the order of a side that trades next at a price."""
    ladder = market_ladder(rules_of(book), side)
    return head_in(ladder, ladder.best_key) if ladder.best_key else next_resting(book, side, key_of(side, price_ticks))


@jit
def _meet(book, request, reports, price_ticks, most):
    """Let the first bid and the first ask in line trade at most so many lots; return how many they do."""
    bid, ask = _first_in_line(book, 1, price_ticks), _first_in_line(book, -1, price_ticks)
    lots = min(min(open_lots(book, bid), open_lots(book, ask)), most)
    buyer, seller = order_of(book, bid), order_of(book, ask)
    row = begin(reports, request, FILL)
    row.order_id, row.owner, row.side, row.book, row.price_ticks, row.lots = buyer.id, buyer.owner, 1, book.number, price_ticks, lots
    row.resting_id, row.resting_owner, row.tif, row.flags = seller.id, seller.owner, tif_on_rows(request), IN_AUCTION | seller.kind & HIDDEN
    row.open_lots, row.resting_open_lots = open_lots(book, bid) - lots, open_lots(book, ask) - lots
    row.trigger_ticks, row.offset_ticks = _shown_at(book, bid), _shown_at(book, ask)
    _give(book, bid, lots)
    _give(book, ask, lots)
    if fees_of(rules_of(book)).tier_count:
        charge(fees_of(rules_of(book)), row, True)
    row.lots_ahead = price_lots(book, 1, row.trigger_ticks) if row.trigger_ticks else 0
    row.level_lots = price_lots(book, -1, row.offset_ticks) if row.offset_ticks else 0
    return lots


@jit
def _shown_at(book, slot):
    """Return the price at which an order is displayed, 0 if it is not."""
    order = order_of(book, slot)
    return 0 if order.kind & (HIDDEN | AT_MARKET) else key_of(order.side, level_key(order))


@jit
def _give(book, slot, lots):
    """Take lots that trade off an order, which keeps its place: an iceberg gives all its lots alike, and shows again as much as it may."""
    order, left = order_of(book, slot), open_lots(book, slot) - lots
    if left == 0:
        leave_queue(book, slot)
        forget(book, slot)
        return
    shown = left
    if order.kind & ICEBERG:
        extra, rules = extra_of(book, slot), rules_of(book)
        shown = min(left, np.int64(extra.display))
        rules.refills -= count_refills(extra)
        extra.reserve = left - shown
        rules.refills += count_refills(extra)
    if order.kind & PEGGED:
        rules_of(book).peg_lots -= lots
    key = level_key(order)
    level = level_of(page_of(ladder_where(book, order), key), key)
    level.lots += shown - order.lots
    order.lots = shown
