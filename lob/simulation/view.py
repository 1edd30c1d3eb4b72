"""The view: what has reached an agent by now.

Owns the rings of touch changes and trades, and how far each agent has read them. An agent never reads the live book: it reads the touch and
the last trade as they stood a delay ago, found in the ring by time, so any delay and any jitter cost no copy for an agent and can leak nothing.
An agent that hears every change (on_quote, on_trade) is told of them one by one, each when it arrives; another looks back when it acts.
"""
from lob.exchange.book import best_price, touch_lots
from lob.exchange.ladder import word_at
from lob.jit import jit
from lob.messages import Side
from lob.simulation import calendar
from lob.simulation.latency import feed_delay
from lob.simulation.world import TOUCHES, TRADES, Event, agent_of, book_of, calendar_of, cursor_of, ring_of, touch_at, trade_at, venue_of

BUY, SELL = int(Side.BUY), int(Side.SELL)
QUOTE = int(Event.QUOTE)
RECENT = 16  # entries among which an agent's view is looked for first; a power of two


@jit(inline=True)
def entry_of(ring, i):
    """Return the address of a ring's entry i; its first word is its time."""
    return ring.entries + (i & ring.mask) * ring.entry_bytes


@jit(inline=True)
def _time_of(ring, i):
    return word_at(entry_of(ring, i), 0).value


@jit
def publish_touch(world, venue, time_ns):
    """Note the touch of a venue's displayed book if it has changed."""
    book, ring = book_of(venue), ring_of(venue, TOUCHES)
    last = touch_at(entry_of(ring, ring.count - 1), 0)
    bid, ask = best_price(book, BUY), best_price(book, SELL)
    bid_lots, ask_lots = touch_lots(book, BUY), touch_lots(book, SELL)
    if bid == last.best_bid_ticks and ask == last.best_ask_ticks and bid_lots == last.best_bid_lots and ask_lots == last.best_ask_lots:
        return
    touch = touch_at(entry_of(ring, ring.count), 0)
    touch.time_ns, touch.best_bid_ticks, touch.best_ask_ticks, touch.best_bid_lots, touch.best_ask_lots = time_ns, bid, ask, bid_lots, ask_lots
    _publish(world, ring)


@jit
def publish_trade(world, venue, row):
    """Note a trade: a FILL, or a recorded PRINT that met no displayed order."""
    ring = ring_of(venue, TRADES)
    trade = trade_at(entry_of(ring, ring.count), 0)
    trade.time_ns, trade.price_ticks, trade.lots, trade.side, trade.kind = row.time_ns, row.price_ticks, row.lots, row.side, row.kind
    _publish(world, ring)


@jit
def _publish(world, ring):
    """Make the entry behind the last one readable, and plan its way to those who hear of every one and wait for the next."""
    ring.count += 1
    for i in range(ring.listener_count):
        agent = agent_of(world, word_at(ring.listeners, i).value)
        cursor = cursor_of(agent, ring.number)
        if not cursor.is_planned:
            _plan(world, ring, cursor, agent)


@jit
def _plan(world, ring, cursor, agent):
    """Plan when the next entry that an agent has not heard of reaches it."""
    cursor.delay_ns = feed_delay(world, agent)
    cursor.last_ns = max(cursor.last_ns, _time_of(ring, cursor.next) + cursor.delay_ns)
    cursor.is_planned = 1
    calendar.add(calendar_of(world), cursor.last_ns, QUOTE + ring.number, agent.number)


@jit
def _index_after(ring, first, time_ns):
    """Return the index behind the last entry at or before time_ns, not below `first`."""
    # Nothing older than the ring holds is asked for: see `ring_is_short`.
    first = max(first, ring.count - ring.mask - 1)
    if first == ring.count or _time_of(ring, first) > time_ns:
        return first
    near = ring.count - RECENT
    if near > first and _time_of(ring, near) <= time_ns:
        return _index_among_recent(ring, near, time_ns)
    return _index_before_recent(ring, first, time_ns)


@jit(inline=True)
def _index_among_recent(ring, i, time_ns):
    """Return that index by halves without a branch, since each would be a coin toss: entry i is at or before time_ns, and RECENT from the end."""
    step = RECENT >> 1
    while step:
        i += step * (_time_of(ring, i + step) <= time_ns)
        step >>= 1
    return i + 1


@jit
def _index_before_recent(ring, first, time_ns):
    """Return that index, going back from the newest in doubling steps and then by halves."""
    low, high, step = first, ring.count, 1
    while high - step > low and _time_of(ring, high - step) > time_ns:
        high, step = high - step, 2 * step
    low = max(low, high - step)
    while low < high:
        middle = (low + high) >> 1
        if _time_of(ring, middle) <= time_ns:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def _show_touch(ring, cursor, agent):
    touch = touch_at(entry_of(ring, cursor.next - 1), 0)
    agent.best_bid_ticks, agent.best_ask_ticks = touch.best_bid_ticks, touch.best_ask_ticks
    agent.best_bid_lots, agent.best_ask_lots = touch.best_bid_lots, touch.best_ask_lots


@jit
def _show_trade(ring, cursor, agent):
    trade = trade_at(entry_of(ring, cursor.next - 1), 0)
    agent.last_trade_ticks, agent.last_trade_lots, agent.last_trade_side = trade.price_ticks, trade.lots, trade.side


@jit
def look(world, agent):
    """Bring before an agent, which is about to act, the touch and the last trade as its feed shows them."""
    venue = venue_of(world, agent.book)
    touches, trades = ring_of(venue, TOUCHES), ring_of(venue, TRADES)
    touch_cursor, trade_cursor = cursor_of(agent, TOUCHES), cursor_of(agent, TRADES)
    if touch_cursor.is_listener and trade_cursor.is_listener:
        return
    seen_ns = agent.now_ns - feed_delay(world, agent)
    if not touch_cursor.is_listener:
        touch_cursor.next = _index_after(touches, touch_cursor.next, seen_ns)
        _show_touch(touches, touch_cursor, agent)
    if not trade_cursor.is_listener:
        trade_cursor.next = _index_after(trades, trade_cursor.next, seen_ns)
        _show_trade(trades, trade_cursor, agent)


@jit
def hear_touch(world, agent):
    """Read the touch changes that have just arrived and plan the next."""
    ring, cursor = ring_of(venue_of(world, agent.book), TOUCHES), cursor_of(agent, TOUCHES)
    cursor.next = _index_after(ring, cursor.next, agent.now_ns - cursor.delay_ns)
    _show_touch(ring, cursor, agent)
    _wait(world, ring, cursor, agent)


@jit
def hear_trade(world, agent):
    """Read the next trade, which has just arrived, and plan the one after. Return the trade's address."""
    ring, cursor = ring_of(venue_of(world, agent.book), TRADES), cursor_of(agent, TRADES)
    cursor.next += 1
    _show_trade(ring, cursor, agent)
    _wait(world, ring, cursor, agent)
    return entry_of(ring, cursor.next - 1)


@jit
def _wait(world, ring, cursor, agent):
    cursor.is_planned = 0
    if cursor.next < ring.count:
        _plan(world, ring, cursor, agent)


@jit
def ring_is_short(world, ring, ahead):
    """Return whether `ahead` more entries might overwrite one that an agent has still to read."""
    oldest = ring.count + ahead - ring.mask - 1
    return ahead > ring.mask or oldest > 0 and _time_of(ring, oldest) >= world.now_ns - world.delay_max_ns
