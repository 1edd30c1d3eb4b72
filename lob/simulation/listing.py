"""Listings: what each order book of a simulation is called and how it is set up.

Owns how the settings of a simulation, one for all books or one for each by its name, become those of each book. Knows no memory.
"""
from dataclasses import dataclass, replace

from lob.errors import ScenarioError
from lob.exchange.venue import FeeTier, Venue
from lob.instrument import Instrument
from lob.integers import whole
from lob.messages import PRICE_MAX_TICKS
from lob.simulation.clock import checked_schedule
from lob.simulation.gateway import checked_gateway_ns

BOOKS_MAX = 1_000
OPENING_TICKS = 10_000


@dataclass(frozen=True)
class Listing:
    """One book: its venue's name, None where only its number says which; what trades there; the Venue that it is set up as; when it moves to which phase; its
    gateway; the price at which it opens.
    """

    name: str | None
    instrument: Instrument
    venue: Venue
    schedule: tuple
    gateway_ns: int
    opening_ticks: int

    @property
    def plain(self):
        """What a tape's provenance says of the book, a dict of JSON's own types."""
        return {
            "name": self.name, "instrument": self.instrument.as_strings(), "opening_price_ticks": self.opening_ticks, "venue": self.venue.as_plain(),
            "gateway_ns": self.gateway_ns, "schedule": [[time_ns, phase.name] for time_ns, phase in self.schedule],
        }


def listings(books, venues, venue, schedule, gateway_ns, opening_ticks, instrument):
    """Return the Listing of every book.

    books: how many there are, set up alike as `venue` says; or venues: {name: Venue} of each. The other settings are one for all, or {name: setting}, where a
    name that is missing has the default. Raises ScenarioError for settings that cannot be used.
    """
    if venues is None:
        book_count = whole(books, 1, BOOKS_MAX)
        if book_count is None:
            raise ScenarioError(f"books must be a whole number from 1 to {BOOKS_MAX}, was {books!r}")
        venues = dict.fromkeys(range(book_count), venue)
    else:
        _check_names(venues, books, venue)
    found = []
    for number, (name, own) in enumerate(venues.items()):
        settings = [_of(what, setting, name, venues, default) for what, setting, default in (
            ("schedule", schedule, ()), ("gateway_ns", gateway_ns, 0), ("opening_price_ticks", opening_ticks, OPENING_TICKS),
            ("instrument", instrument, None),
        )]
        traded = _checked_instrument(settings[3])
        own = _with_fees(own, traded)
        place = f"venues[{number}]" if isinstance(name, str) else "venue"
        found.append(Listing(
            name if isinstance(name, str) else None, traded, own, checked_schedule(settings[0], own, place), checked_gateway_ns(settings[1], place),
            _checked_price(settings[2]),
        ))
    return tuple(found)


def _check_names(venues, books, venue):
    if books != 1 or venue is not None:
        raise ScenarioError("give books and one venue for all, or the venues by name, not both")
    if not isinstance(venues, dict) or not 1 <= len(venues) <= BOOKS_MAX:
        raise ScenarioError(f"venues must be a dict of 1 to {BOOKS_MAX:,} venues by name, was {venues!r}")
    for name in venues:
        if not isinstance(name, str) or not name:
            raise ScenarioError(f"venues: a name must be text, was {name!r}")


def _of(what, setting, name, venues, default):
    """Return the setting of one venue."""
    if not isinstance(setting, dict):
        return setting
    unknown = [key for key in setting if key not in venues]
    if unknown:
        raise ScenarioError(f"{what}: there is no venue {unknown[0]!r}; there are {', '.join(map(str, venues))}")
    return setting.get(name, default)


def _with_fees(venue, instrument):
    """Return a Venue with the instrument's fees if it has any: they are told to the exchange, which writes what each fill costs."""
    if not isinstance(venue, Venue | None):
        raise ScenarioError(f"venue must be a Venue, was {venue!r}")
    venue = venue or Venue()
    tier = FeeTier(maker_microticks=instrument.maker_fee_microticks, taker_microticks=instrument.taker_fee_microticks)
    if tier != FeeTier() and venue.fees:
        fees = f"{instrument.maker_fee} and {instrument.taker_fee} beside {venue.fees}"
        raise ScenarioError(f"fees must be the instrument's or the venue's, not both, was {fees}")
    return replace(venue, fees=(tier,)) if tier != FeeTier() else venue


def _checked_instrument(instrument):
    if not isinstance(instrument, Instrument | None):
        raise ScenarioError(f"instrument must be of the class Instrument, was {instrument!r}")
    return instrument or Instrument()


def _checked_price(opening_ticks):
    price_ticks = whole(opening_ticks, 1, PRICE_MAX_TICKS)
    if price_ticks is None:
        raise ScenarioError(f"opening_price_ticks must be from 1 to 2^31, was {opening_ticks!r}")
    return price_ticks
