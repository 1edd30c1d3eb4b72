"""The price of a call auction, by trying every price that can matter: the specification of lob.exchange.rules.auction.

Knows no book: a side is a list of (limit, lots), the limit None of a market order.
"""
from lob.messages import PRICE_MAX_TICKS


def nearest(prices, reference_ticks):
    """Return the price between the first and the last of some that is nearest to the reference price, without one the middle rounded down."""
    if not reference_ticks:
        return (prices[0] + prices[-1]) // 2
    return min(max(reference_ticks, prices[0]), prices[-1])


def auction_price(bids, asks, reference_ticks):
    """Return (price_ticks, lots, surplus_lots) of an auction, all 0 if nothing trades."""
    bid_limits, ask_limits = [limit for limit, _ in bids if limit is not None], [limit for limit, _ in asks if limit is not None]
    bid_market, ask_market = (sum(lots for limit, lots in side if limit is None) for side in (bids, asks))

    def demand(price_ticks):
        return bid_market + sum(lots for limit, lots in bids if limit is not None and limit >= price_ticks)

    def supply(price_ticks):
        return ask_market + sum(lots for limit, lots in asks if limit is not None and limit <= price_ticks)

    def surplus(price_ticks):
        return demand(price_ticks) - supply(price_ticks)

    # What is bid and asked changes at limits only, so a neighbour on either side stands for all prices up to the next limit.
    tried = {limit + step for limit in bid_limits + ask_limits for step in (-1, 0, 1)} | ({reference_ticks} if reference_ticks else set())
    prices = sorted(price for price in tried if 1 <= price <= PRICE_MAX_TICKS)
    volume = max((min(demand(price), supply(price)) for price in prices), default=0)
    if volume == 0:
        return 0, 0, 0
    if bid_market >= volume and ask_market >= volume:
        if not reference_ticks:
            return 0, 0, 0
        price = min(max(reference_ticks, *bid_limits, 0), *ask_limits, PRICE_MAX_TICKS)
        return price, volume, surplus(price)
    prices = [price for price in prices if min(demand(price), supply(price)) == volume]
    # Market orders set no limit: prices go no further their way than the best limit of that side, or than the volume needs.
    if bid_market >= volume:
        prices = [price for price in prices if price <= max(prices[0], *bid_limits, 0)]
    if ask_market >= volume:
        prices = [price for price in prices if price >= min(prices[-1], *ask_limits, PRICE_MAX_TICKS)]
    least = min(abs(surplus(price)) for price in prices)
    prices = [price for price in prices if abs(surplus(price)) == least]
    signs = {(surplus(price) > 0) - (surplus(price) < 0) for price in prices}
    price = prices[-1] if signs == {1} else prices[0] if signs == {-1} else nearest(prices, reference_ticks)
    return price, volume, surplus(price)
