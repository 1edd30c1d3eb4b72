"""Instrument: the grid on which an asset trades, and what trading it costs.

Owns every conversion between decimals and the integers used inside: prices in ticks, quantities in lots, money in ticks x lots, fees in
micro-ticks per lot. A number that is not on the grid is refused, never rounded. Knows no order and no book.
"""
from dataclasses import dataclass, fields
from decimal import Context, Decimal, Inexact, InvalidOperation, localcontext

from lob.errors import LobError
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS

MICROTICKS = 10**6  # in one tick

# Wide enough that a quotient either comes out exactly or trips Inexact: nothing is rounded on the way.
_EXACT = Context(prec=60)
_NUMBER_MAX = Decimal("1e30")


def to_decimal(value, name):
    """Return `value` as an exact Decimal; a float counts as the number it prints as, so 0.1 is a tenth.

    Raises LobError naming `name` if it is not a finite number.
    """
    try:
        number = Decimal(str(value) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError):
        raise LobError(f"{name} must be a number, was {value!r}") from None
    if not number.is_finite() or abs(number) >= _NUMBER_MAX:
        raise LobError(f"{name} must be finite and less than {_NUMBER_MAX}, was {value!r}")
    return number


def _count_of_steps(value, step, what):
    """Return value / step as an integer; `what` names the value, the rule and the unit in the error."""
    with localcontext(_EXACT) as context:
        context.traps[Inexact] = True
        try:
            steps = value / step
        except Inexact:
            steps = None
    if steps is None or steps != steps.to_integral_value():
        raise LobError(f"{what} {step}, was {value}")
    return int(steps)


@dataclass(frozen=True)
class Instrument:
    """What trades: its tick and lot, and the fees in currency per lot (a negative fee is a rebate).

    Sizes and fees may be given as str, int, Decimal or float (taken as printed). One tick on one lot is worth tick_size x lot_size.
    Raises LobError if a size is not positive or a fee is not a whole number of micro-ticks per lot.
    """

    name: str = "XYZ"
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal(1)
    maker_fee: Decimal = Decimal(0)
    taker_fee: Decimal = Decimal(0)

    def __post_init__(self):
        for field in fields(self)[1:]:
            object.__setattr__(self, field.name, to_decimal(getattr(self, field.name), f"instrument.{field.name}"))
        for name in ("tick_size", "lot_size"):
            if getattr(self, name) <= 0:
                raise LobError(f"instrument.{name} must be positive, was {getattr(self, name)}")
        for name in ("maker_fee", "taker_fee"):
            self._fee_microticks(name)

    @property
    def tick_value(self):
        """What one tick on one lot is worth in currency."""
        return _EXACT.multiply(self.tick_size, self.lot_size)

    @property
    def maker_fee_microticks(self):
        """What the resting side of a fill pays, in micro-ticks per lot."""
        return self._fee_microticks("maker_fee")

    @property
    def taker_fee_microticks(self):
        """What the aggressor of a fill pays, in micro-ticks per lot."""
        return self._fee_microticks("taker_fee")

    def _fee_microticks(self, name):
        step = _EXACT.divide(self.tick_value, Decimal(MICROTICKS))
        return _count_of_steps(getattr(self, name), step, f"instrument.{name} must be a multiple of one micro-tick per lot,")

    def to_ticks(self, price):
        """Return a price in ticks; raises LobError if it is off the grid or outside 1..PRICE_MAX_TICKS."""
        ticks = _count_of_steps(to_decimal(price, "price"), self.tick_size, f"price of {self.name} must be a multiple of the tick size")
        if not 1 <= ticks <= PRICE_MAX_TICKS:
            raise LobError(f"price of {self.name} must be 1 to {PRICE_MAX_TICKS} ticks of {self.tick_size}, was {price}")
        return ticks

    def to_lots(self, quantity):
        """Return a quantity in lots; raises LobError if it is off the grid or outside 1..LOTS_MAX."""
        lots = _count_of_steps(to_decimal(quantity, "quantity"), self.lot_size, f"quantity of {self.name} must be a multiple of the lot size")
        if not 1 <= lots <= LOTS_MAX:
            raise LobError(f"quantity of {self.name} must be 1 to {LOTS_MAX} lots of {self.lot_size}, was {quantity}")
        return lots

    def to_price(self, price_ticks):
        """Return ticks as a Decimal price."""
        return _EXACT.multiply(Decimal(int(price_ticks)), self.tick_size)

    def to_quantity(self, lots):
        """Return lots as a Decimal quantity."""
        return _EXACT.multiply(Decimal(int(lots)), self.lot_size)

    def to_currency(self, cash_ticks, fees_microticks=0):
        """Return cash (ticks x lots) less fees (micro-ticks) as Decimal currency."""
        microticks = int(cash_ticks) * MICROTICKS - int(fees_microticks)
        return _EXACT.multiply(_EXACT.divide(Decimal(microticks), Decimal(MICROTICKS)), self.tick_value)

    def as_strings(self):
        """Return the fields as strings, as a tape's provenance keeps them; Instrument(**strings) reads them back."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}
