"""Fees: what each side of a fill pays, in exact integers, by what its owner has traded in this book before.

Owns the tiers, the volume of every owner that has had an order here, and their memory. Knows no order. A millionth of a tick is a micro-tick, so a share of
price x lots is a whole number like everything else: nothing is ever rounded. Where there is one tier nobody's volume matters, and none is kept.
Cost: a look into a hash table for each side of a fill, none with one tier.
"""
import numpy as np

from lob.jit import jit, pool_reader
from lob.messages import NOBODY

TIER = np.dtype([(name, "i8") for name in ("from_lots", "maker_microticks", "taker_microticks", "maker_ppm", "taker_ppm")])
VOLUME = np.dtype(
    [
        ("owner", "i4"),
        ("tier", "i4"),  # the number of the owner's tier, 1 the lowest; 0: nobody's place
        ("lots", "i8"),  # traded in this book
    ],
    align=True,
)
FEES = np.dtype(
    [
        ("tiers", "i8"),           # address of TIER[tier_count]
        ("tier_count", "i8"),      # 0: there are no fees
        ("microticks_max", "i8"),  # the largest of all tiers, whatever its sign
        ("ppm_max", "i8"),
        ("volumes", "i8"),         # address of VOLUME[volume_mask + 1]: open addressing, at most half full
        ("volume_mask", "i8"),
        ("owner_count", "i8"),
    ],
    align=True,
)
fees_at, tier_at, volume_at = pool_reader(FEES), pool_reader(TIER), pool_reader(VOLUME)

FEE_MAX = 2**62     # micro-ticks x lots that a fill may cost either side
LOTS_TOP = 2**62    # no tier begins above it
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@jit(inline=True)
def _volume_of(fees, owner):
    """Return an owner's VOLUME, or the free one that shows that it has none."""
    # Unsigned: numba promises the compiler that a signed product does not overflow.
    i = np.int64(np.uint64(owner) * GOLDEN >> np.uint64(32)) & fees.volume_mask
    while volume_at(fees.volumes, i).tier and volume_at(fees.volumes, i).owner != owner:
        i = (i + 1) & fees.volume_mask
    return volume_at(fees.volumes, i)


@jit
def note_owner(fees, owner):
    """Begin to count an owner's volume. Whoever may trade is noted before; the caller has seen to it that there is room."""
    if fees.tier_count > 1:
        volume = _volume_of(fees, owner)
        if volume.tier == 0:
            volume.owner, volume.tier, volume.lots = owner, 1, 0
            fees.owner_count += 1


@jit(inline=True)
def has_owner_room(fees):
    """Return whether one more owner can be noted."""
    return fees.tier_count <= 1 or 2 * (fees.owner_count + 1) <= fees.volume_mask + 1


@jit
def _count(fees, owner, lots):
    volume = _volume_of(fees, owner)
    volume.lots = min(volume.lots + lots, LOTS_TOP)
    while volume.tier < fees.tier_count and volume.lots >= tier_at(fees.tiers, volume.tier).from_lots:
        volume.tier += 1


@jit
def charge(fees, row, is_auction):
    """Write on a FILL row what both sides pay, then count its lots for both owners. In an auction both pay as takers: nobody came to the other."""
    incoming, resting = 0, 0
    if fees.tier_count > 1:
        incoming, resting = _volume_of(fees, row.owner).tier - 1, _volume_of(fees, row.resting_owner).tier - 1
        _count(fees, row.owner, row.lots)
        _count(fees, row.resting_owner, row.lots)
    taker, maker = tier_at(fees.tiers, incoming), tier_at(fees.tiers, resting)
    row.fee = row.lots * (taker.taker_microticks + row.price_ticks * taker.taker_ppm)
    if is_auction:
        row.resting_fee = row.lots * (maker.taker_microticks + row.price_ticks * maker.taker_ppm)
    else:
        row.resting_fee = row.lots * (maker.maker_microticks + row.price_ticks * maker.maker_ppm)


@jit
def charge_agents(fees, row):
    """Write on a FILL row of a recorded day what agents pay. What the recorded traders paid is not known: nothing is written."""
    charge(fees, row, False)
    row.fee *= row.owner != NOBODY
    row.resting_fee *= row.resting_owner != NOBODY


@jit(inline=True)
def costs_too_much(fees, price_ticks, lots):
    """Return whether the fee of so many lots at a price might pass FEE_MAX; never without fees."""
    lot_microticks = price_ticks * fees.ppm_max + fees.microticks_max
    return lot_microticks > 0 and lots > FEE_MAX // lot_microticks


class FeesMemory:
    """The memory behind one FEES record: the tiers, and room for owners, which grows between requests."""

    def __init__(self, record):
        self.record = record
        self.volumes = np.zeros(0, VOLUME)
        self.set_tiers(())

    def set_tiers(self, tiers):
        """Charge by these FeeTiers, and by no others."""
        self.tiers = np.array([tuple(getattr(tier, name) for name in TIER.names) for tier in tiers], TIER)
        self.record["tiers"], self.record["tier_count"] = self.tiers.ctypes.data, len(tiers)
        for unit in ("microticks", "ppm"):
            self.record[f"{unit}_max"] = max((abs(getattr(tier, f"{side}_{unit}")) for tier in tiers for side in ("maker", "taker")), default=0)
        if len(tiers) > 1:
            self.set_volumes(self.known_volumes(), 64)

    def known_volumes(self):
        """Return the volumes of all owners noted: VOLUME[n], by owner."""
        return np.sort(self.volumes[self.volumes["tier"] > 0], order="owner")

    def set_volumes(self, volumes, capacity):
        """Have these volumes, and room for half as many owners as `capacity`, a power of two."""
        self.volumes = np.zeros(capacity, VOLUME)
        self.record["volumes"], self.record["volume_mask"], self.record["owner_count"] = self.volumes.ctypes.data, capacity - 1, 0
        for volume in volumes:
            add_volume(self.record.ctypes.data, int(volume["owner"]), int(volume["lots"]))

    def note(self, owner, lots=0):
        """Note an owner from outside of a request, with lots that it has traded."""
        if len(self.tiers) > 1:
            self.grow()
            add_volume(self.record.ctypes.data, int(owner), int(lots))

    def grow(self):
        """Make room where there is none for one more owner."""
        if len(self.tiers) > 1 and 2 * (int(self.record["owner_count"][0]) + 1) > len(self.volumes):
            self.set_volumes(self.known_volumes(), 2 * len(self.volumes))


@jit
def add_volume(fees_address, owner, lots):
    """Note an owner and lots that it has traded."""
    fees = fees_at(fees_address, 0)
    note_owner(fees, owner)
    _count(fees, owner, lots)
