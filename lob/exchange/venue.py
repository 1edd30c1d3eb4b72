"""Venue: how an exchange is set up before the first request: what a book does that no request asks for.

Owns these settings, their limits and their plain form (a dict of JSON's own types) for provenance, snapshots and scenarios. Knows no book. What each
setting does is told in docs/rules.md.
"""
import operator
from dataclasses import asdict, dataclass, field, fields
from enum import IntEnum

from lob.errors import LobError
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Phase, SelfTrade

FEE_MAX_MICROTICKS = 10**9  # a lot, 1,000 ticks
FEE_MAX_PPM = 100_000       # of price x lots: a tenth
BREAKER_PHASES = (Phase.HALT, Phase.BREAKER_AUCTION)


@dataclass(frozen=True)
class Allocation:
    """How an incoming order that takes less than what is displayed at a price is shared out there; by default all of it in time order.

    First the order in front of the line gets top_percent of it, at most top_lots_max lots (0: no limit). Of the rest fifo_percent goes in time order, what
    is then left in proportion to the lots open, rounded down, where a share below minimum_lots is none; and what rounding leaves, in time order again.
    """

    top_percent: int = 0
    top_lots_max: int = 0
    fifo_percent: int = 100
    minimum_lots: int = 1

    def __post_init__(self):
        _check_whole(self, top_percent=(0, 100), top_lots_max=(0, LOTS_MAX), fifo_percent=(0, 100), minimum_lots=(1, LOTS_MAX))

    @classmethod
    def price_time(cls):
        """Return the Allocation by which all lots at a price go in time order."""
        return cls()

    @classmethod
    def pro_rata(cls, minimum_lots=1, top_percent=0, top_lots_max=0):
        """Return the Allocation by which lots at a price are shared out in proportion, after what the first in line may get before."""
        return cls(top_percent, top_lots_max, 0, minimum_lots)

    @classmethod
    def split(cls, fifo_percent, minimum_lots=1):
        """Return the Allocation by which a part goes in time order and the rest in proportion."""
        return cls(fifo_percent=fifo_percent, minimum_lots=minimum_lots)


@dataclass(frozen=True)
class FeeTier:
    """What a fill costs an owner that has traded at least from_lots in this book: micro-ticks a lot and millionths of price x lots (100 are a basis point).

    Below zero it is a rebate. maker: whose order rested; taker: who came to it.
    """

    from_lots: int = 0
    maker_microticks: int = 0
    taker_microticks: int = 0
    maker_ppm: int = 0
    taker_ppm: int = 0

    def __post_init__(self):
        per_lot, share = (-FEE_MAX_MICROTICKS, FEE_MAX_MICROTICKS), (-FEE_MAX_PPM, FEE_MAX_PPM)
        _check_whole(self, from_lots=(0, 2**62), maker_microticks=per_lot, taker_microticks=per_lot, maker_ppm=share, taker_ppm=share)


@dataclass(frozen=True)
class Venue:
    """The settings of a venue; the default is continuous trading in price-time priority, without fees, bands or self-trade prevention.

    self_trade: SelfTrade mode by owner. allocation: who trades first at a price. fees: tiers by volume, the lowest first. phase: the Phase that the book
    opens in. batch_interval_ns: how long a batch lasts while the book is in Phase.BATCH. reference_ticks: the price that bands and auctions refer to before
    there is a better one, 0 for none. price_band_ppm: how far from the reference price a limit may be, in millionths, 0 for any distance. breaker_ppm: how
    far from the last trade or auction a trade may be; one that would be further moves the book to breaker_phase, for breaker_ns (0: until the venue moves
    it on).
    Raises LobError for a setting that cannot be used.
    """

    self_trade: dict = field(default_factory=dict)
    allocation: Allocation = field(default_factory=Allocation)
    fees: tuple = ()
    phase: Phase = Phase.CONTINUOUS
    batch_interval_ns: int = 0
    reference_ticks: int = 0
    price_band_ppm: int = 0
    breaker_ppm: int = 0
    breaker_phase: Phase = Phase.HALT
    breaker_ns: int = 0

    def __post_init__(self):
        _check_kind("venue.self_trade", self.self_trade, dict, "a table")
        _check_kind("venue.allocation", self.allocation, Allocation, "an Allocation")
        _check_kind("venue.fees", self.fees, list | tuple, "a list")
        for i, tier in enumerate(self.fees):
            _check_kind(f"venue.fees[{i}]", tier, FeeTier, "a FeeTier")
        modes = {_whole(owner, "venue.self_trade owner", 0, 2**31 - 1): _member(SelfTrade, mode, "venue.self_trade") for owner, mode in self.self_trade.items()}
        object.__setattr__(self, "self_trade", dict(sorted(modes.items())))
        object.__setattr__(self, "fees", tuple(self.fees))
        for name in ("phase", "breaker_phase"):
            object.__setattr__(self, name, _member(Phase, getattr(self, name), f"venue.{name}"))
        largest_ns = 2**62
        _check_whole(self, batch_interval_ns=(0, largest_ns), reference_ticks=(0, PRICE_MAX_TICKS), price_band_ppm=(0, 10**6), breaker_ppm=(0, 10**6),
                     breaker_ns=(0, largest_ns))
        lots = [tier.from_lots for tier in self.fees]
        if lots and (lots[0] != 0 or lots != sorted(set(lots))):
            raise LobError(f"venue.fees must begin with from_lots 0 and rise, was {lots}")
        if self.phase == Phase.BATCH and self.batch_interval_ns == 0:
            raise LobError("venue.batch_interval_ns must be above 0 in Phase.BATCH, was 0")
        if self.breaker_phase not in BREAKER_PHASES:
            raise LobError(f"venue.breaker_phase must be {' or '.join(phase.name for phase in BREAKER_PHASES)}, was {self.breaker_phase.name}")

    def as_plain(self):
        """Return the settings as a dict of dicts, lists, strings and integers; `Venue.from_plain` is the way back."""
        plain = asdict(self) | {"fees": [asdict(tier) for tier in self.fees]}
        plain["self_trade"] = {str(owner): mode.name for owner, mode in self.self_trade.items()}
        return plain | {"phase": self.phase.name, "breaker_phase": self.breaker_phase.name}

    @classmethod
    def from_plain(cls, plain):
        """Return the Venue of a dict that `as_plain`, a JSON file or a table of a TOML file has; what is not there has its default."""
        plain = _known(cls, plain, "venue")
        if "self_trade" in plain:
            _check_kind("venue.self_trade", plain["self_trade"], dict, "a table")
            plain["self_trade"] = {_owner(owner): mode for owner, mode in plain["self_trade"].items()}
        if "allocation" in plain:
            plain["allocation"] = Allocation(**_known(Allocation, plain["allocation"], "venue.allocation"))
        if "fees" in plain:
            _check_kind("venue.fees", plain["fees"], list | tuple, "a list")
            plain["fees"] = tuple(FeeTier(**_known(FeeTier, tier, "venue.fees")) for tier in plain["fees"])
        return cls(**plain)


def phase_named(value, place):
    """Return the Phase of a name or a number; LobError, naming the place, if there is none."""
    return _member(Phase, value, place)


def _known(cls, plain, place):
    """Return a copy of a table whose keys are all fields of a class."""
    names = [field.name for field in fields(cls)]
    if not isinstance(plain, dict):
        raise LobError(f"{place} must be a table, was {plain!r}")
    unknown = next((key for key in plain if key not in names), None)
    if unknown is not None:
        raise LobError(f"{place} has no setting {unknown!r}; it has {', '.join(names)}")
    return dict(plain)


def _check_kind(place, value, kind, word):
    """Raise LobError for a setting that is not of its kind."""
    if not isinstance(value, kind):
        raise LobError(f"{place} must be {word}, was {value!r}")


def _owner(text):
    try:
        return int(text)
    except ValueError:
        raise LobError(f"venue.self_trade owner must be a whole number, was {text!r}") from None


def _member(enum: type[IntEnum], value, place):
    """Return the member of an enum that is named, or numbered."""
    try:
        return enum[value] if isinstance(value, str) else enum(value)
    except (KeyError, ValueError):
        raise LobError(f"{place} must be one of {', '.join(member.name for member in enum)}, was {value!r}") from None


def _whole(value, place, low, high):
    """Return a whole number within limits as an int."""
    try:
        number = operator.index(value)
    except TypeError:
        raise LobError(f"{place} must be a whole number, was {value!r}") from None
    if isinstance(value, bool) or not low <= number <= high:
        raise LobError(f"{place} must be from {low} to {high}, was {value!r}")
    return number


def _check_whole(settings, **limits):
    for name, (low, high) in limits.items():
        object.__setattr__(settings, name, _whole(getattr(settings, name), f"{type(settings).__name__.lower()}.{name}", low, high))
