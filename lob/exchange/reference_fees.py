"""Fees of the reference: what a fill costs both sides, by tiers of what their owners have traded. Knows no book."""
from lob.messages import NOBODY

FEE_MAX = 2**62


class Fees:
    """The tiers of a venue, and what each owner has traded so far."""

    def __init__(self, tiers):
        self.tiers = tiers
        self.lots = {}  # owner -> lots traded in this book

    def of_fill(self, taker, maker, price_ticks, lots, is_auction=False):
        """Return the fields `fee` and `resting_fee` of a row, by the owners' volumes before it, and count its lots for both owners."""
        if not self.tiers:
            return {}
        resting = "taker" if is_auction else "maker"
        fees = {"fee": self._fee(taker, "taker", price_ticks, lots), "resting_fee": self._fee(maker, resting, price_ticks, lots)}
        for owner in (taker, maker):
            self.lots[owner] = self.lots.get(owner, 0) + lots
        return fees

    def of_agents(self, taker, maker, price_ticks, lots):
        """Return the same for a recorded day: what the recorded traders paid is not known."""
        fees = self.of_fill(taker, maker, price_ticks, lots)
        known = {"fee": taker != NOBODY, "resting_fee": maker != NOBODY}
        return {name: fee * known[name] for name, fee in fees.items()}

    def are_exact(self, price_ticks, lots):
        """Return whether what so many lots may cost at a price is sure to be a number of 64 bits."""
        largest = {unit: max((abs(getattr(tier, f"{side}_{unit}")) for tier in self.tiers for side in ("maker", "taker")), default=0)
                   for unit in ("microticks", "ppm")}
        return lots * largest["microticks"] + price_ticks * lots * largest["ppm"] <= FEE_MAX

    def _fee(self, owner, side, price_ticks, lots):
        tier = [tier for tier in self.tiers if self.lots.get(owner, 0) >= tier.from_lots][-1]
        return lots * getattr(tier, f"{side}_microticks") + price_ticks * lots * getattr(tier, f"{side}_ppm")
