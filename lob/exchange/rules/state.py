"""State: what the rules remember beside the book.

Owns the RULES record of a book and its memory: the ladders of hidden orders, waiting stops and market orders, its phase, the rare fields of orders that have
any (EXTRA, by the order's slot), when orders expire, which owners may not trade with themselves, fees and allocation. It is made when the first request or the
venue needs it. Knows no order's place and no matching rule.
"""
import numpy as np

from lob.exchange.ladder import LADDER, LadderMemory, ladder_at
from lob.exchange.rules.allocation import ALLOCATION, allocation_at, set_allocation
from lob.exchange.rules.fees import FEES, FeesMemory, fees_at
from lob.jit import address_of, jit, pool_reader
from lob.messages import REQUEST, Flag, Phase
from lob.schedule import ScheduleMemory, schedule_at

# Bits of an order's kind; an order that has none is plain.
TIMED, DAY, HIDDEN, ICEBERG, STOP, AT_MARKET = 1, 2, int(Flag.HIDDEN), int(Flag.ICEBERG), int(Flag.STOP), 128
PEGGED = int(Flag.PEG_NEAR)  # of all three, and HIDDEN with it; EXTRA says which

# An iceberg has at most so many slices (Xetra asks for a peak of at least a twentieth; Euronext for a fixed number of lots).
SLICES_MAX = 1000

HIDDEN_LADDERS = 2  # of the six of RULES, the first ones
FIRST_NS, NEVER = -(2**63), 2**63 - 1
ANY_TICKS = 2**62  # no price is as high

EXTRA = np.dtype(
    [
        ("entry", "i8"),          # the order's number among all that came with a rule: who was first
        ("expiry_ns", "i8"),      # TIMED
        ("trigger_ticks", "i8"),  # STOP
        ("price_ticks", "i8"),    # STOP: its limit, 0 for a market order; PEGGED: its limit
        ("reserve", "i4"),        # ICEBERG: open lots that are not shown
        ("display", "i4"),        # ICEBERG: what it shows at a time
        ("action", "u1"),         # STOP: LIMIT or MARKET
        ("tif", "u1"),            # STOP: of the order that it becomes; PEGGED: its own
        ("peg", "u2"),            # PEGGED: the Flag of what it follows
        ("offset_ticks", "i4"),   # PEGGED
        ("before", "i4"),         # PEGGED: the slot of the one that entered before it, 0 for the first
        ("behind", "i4"),         # PEGGED: the slot of the one that entered next, 0 for the last
    ],
    align=True,
)
MODE = np.dtype([("owner", "i4"), ("mode", "i4")], align=True)
RULES = np.dtype(
    [
        ("ladders", LADDER, 6),  # hidden bids, asks; waiting buy, sell stops, the first to be triggered being the best; market orders that collect
        ("extras", "i8"),        # address of EXTRA[order_capacity]
        ("address", "i8"),       # of the rules as native code, for the gate; 0 until a request has need of them
        ("answer", "i8"),        # what they returned: rows written, or a Shortage
        ("entry", "i8"),         # the last number given
        ("timed_count", "i8"),
        ("stop_count", "i8"),
        ("stop_lots", "i8"),     # of all waiting stops
        ("refills", "i8"),       # how often all icebergs together can show new lots
        ("low_ticks", "i8"),     # of the trades since stops were last looked at, the last one before them included; 0: never a trade
        ("high_ticks", "i8"),
        ("peg_count", "i8"),
        ("peg_lots", "i8"),      # of all pegged orders in their queues
        ("first_peg", "i8"),     # slot of the pegged order that entered first, 0 if there is none
        ("last_peg", "i8"),
        ("seen_bid_ticks", "i8"),  # the displayed touch that pegged orders were last priced by; -1: they are to be looked at again
        ("seen_ask_ticks", "i8"),
        ("expiries", "i8"),      # address of a SCHEDULE by expiry; an entry of an order that has gone, or changed its number, means nothing
        ("triggered", "i8"),     # address of a SCHEDULE of stops that wait for their turn within one request, empty between requests
        ("modes", "i8"),         # address of MODE[mode_count], sorted by owner
        ("mode_count", "i8"),
        ("fees", FEES),
        ("allocation", ALLOCATION),
        ("phase", "i8"),
        ("phase_end_ns", "i8"),   # when the batch is over, or the breaker's phase; NEVER if the venue must say so
        ("indicated_ticks", "i8"),    # what the last INDICATIVE row of this phase said
        ("indicated_lots", "i8"),
        ("indicated_surplus", "i8"),
        ("tripped", "i8"),            # whether the next trade would have been outside the breaker's range
        ("breaker_low_ticks", "i8"),  # the breaker's range for one request
        ("breaker_high_ticks", "i8"),
        # The settings of the venue.
        ("reference_ticks", "i8"),
        ("batch_interval_ns", "i8"),
        ("price_band_ppm", "i8"),
        ("breaker_ppm", "i8"),
        ("breaker_phase", "i8"),
        ("breaker_ns", "i8"),
        ("request", REQUEST),    # what a stop asks for when it is triggered, or a request at another price than its own
    ],
    align=True,
)
SETTINGS = ("phase", "reference_ticks", "batch_interval_ns", "price_band_ppm", "breaker_ppm", "breaker_phase", "breaker_ns")
REQUEST_OFFSET, FEES_OFFSET, ALLOCATION_OFFSET = (RULES.fields[name][1] for name in ("request", "fees", "allocation"))
extra_at, rules_at, mode_at, request_at = pool_reader(EXTRA), pool_reader(RULES), pool_reader(MODE), pool_reader(REQUEST)


@jit(inline=True)
def rules_of(book):
    return rules_at(book.rules, 0)


@jit(inline=True)
def extra_of(book, slot):
    return extra_at(rules_of(book).extras, slot)


@jit(inline=True)
def hidden_ladder(rules, side):
    return ladder_at(address_of(rules), np.int64(side) < 0)


@jit(inline=True)
def stop_ladder(rules, side):
    return ladder_at(address_of(rules), 2 + (np.int64(side) < 0))


@jit(inline=True)
def market_ladder(rules, side):
    return ladder_at(address_of(rules), 4 + (np.int64(side) < 0))


@jit(inline=True)
def expiries_of(rules):
    return schedule_at(rules.expiries, 0)


@jit(inline=True)
def triggered_of(rules):
    return schedule_at(rules.triggered, 0)


@jit(inline=True)
def own_request(rules):
    return request_at(address_of(rules) + REQUEST_OFFSET, 0)


@jit(inline=True)
def fees_of(rules):
    return fees_at(address_of(rules) + FEES_OFFSET, 0)


@jit(inline=True)
def allocation_of(rules):
    return allocation_at(address_of(rules) + ALLOCATION_OFFSET, 0)


@jit
def mode_of(rules, owner):
    """Return an owner's SelfTrade mode; cost: the logarithm of the number of owners that have one."""
    low, high = 0, rules.mode_count
    while low < high:
        middle = (low + high) >> 1
        if mode_at(rules.modes, middle).owner < owner:
            low = middle + 1
        else:
            high = middle
    found = low < rules.mode_count and mode_at(rules.modes, low).owner == owner
    return mode_at(rules.modes, low).mode if found else 0


class RulesMemory:
    """The memory behind one RULES record: allocates, and grows between requests."""

    def __init__(self, order_capacity):
        self.record = np.zeros(1, RULES)
        self.ladders = [LadderMemory(self.record["ladders"][0, i:i + 1]) for i in range(6)]
        self.expiries, self.triggered = ScheduleMemory(1024), ScheduleMemory(1024)
        self.record["phase_end_ns"], self.record["breaker_high_ticks"] = NEVER, ANY_TICKS
        self.record["expiries"], self.record["triggered"] = self.expiries.record.ctypes.data, self.triggered.record.ctypes.data
        self.extras, self.fees = np.zeros(0, EXTRA), FeesMemory(self.record["fees"])
        self.set_order_capacity(order_capacity)
        self.set_modes({})

    @property
    def address(self):
        return self.record.ctypes.data

    def set_order_capacity(self, capacity):
        """Have the rare fields of as many orders as the book."""
        extras = np.zeros(capacity, EXTRA)
        extras[:len(self.extras)] = self.extras
        self.extras = extras
        self.record["extras"] = extras.ctypes.data

    def set_venue(self, venue):
        """Note the settings of a Venue but for the owners' modes."""
        self.fees.set_tiers(venue.fees)
        set_allocation(self.record["allocation"], venue.allocation)
        for name in SETTINGS:
            self.record[name] = getattr(venue, name)
        if venue.phase == Phase.BATCH:
            # The first request, whatever its time, finds out which batch it is in.
            self.record["phase_end_ns"] = FIRST_NS

    def set_modes(self, modes):
        """Have these owners' SelfTrade modes, {owner: mode}, and no others."""
        self.modes = np.array(sorted(modes.items()), MODE) if modes else np.zeros(1, MODE)
        self.record["modes"], self.record["mode_count"] = self.modes.ctypes.data, len(modes)

    def owner_modes(self):
        """Return the owners' modes: {owner: mode}."""
        return dict(self.modes[:int(self.record["mode_count"][0])].tolist())

    def live_expiries(self, orders):
        """Return the entries of the orders that still wait to expire: ENTRY[n], in no order."""
        entries = self.expiries.entries[:int(self.expiries.record["count"][0])]
        slots = entries["who"]
        return entries[((orders["kind"][slots] & TIMED) != 0) & (self.extras["entry"][slots] == entries["sequence"])]

    def grow(self, orders):
        """Make room wherever there is too little for one more order and all stops that may be triggered with it."""
        needed = int(self.record["stop_count"][0]) + 2
        if int(self.expiries.record["count"][0]) + needed >= len(self.expiries.entries):
            # What has gone is left out; sorted entries are a heap.
            live = np.sort(self.live_expiries(orders), order=["time_ns", "sequence"])
            self.expiries.set_capacity(max(len(self.expiries.entries), 2 * (len(live) + needed)))
            self.expiries.entries[:len(live)] = live
            self.expiries.record["count"] = len(live)
        if needed >= len(self.triggered.entries):
            self.triggered.set_capacity(2 * needed)
        self.fees.grow()
        for i, ladder in enumerate(self.ladders):
            # Each pegged order may come to rest among the hidden ones, in a page of its own.
            while ladder.ladder["free_pages"][0] <= (self.record["peg_count"][0] if i < HIDDEN_LADDERS else 0):
                ladder.add_pages()
