"""First passage: which of two queues empties first, in closed form, when they do not look at each other.

Owns the formulas that a forecast of the next mid move is held against. n is the bid queue, p the ask queue, in orders of one size.
"""
import numpy as np


def p_up_diffusion(bid_lots, ask_lots, correlation=0.0):
    """Return the probability that the ask empties first, for queues that diffuse without drift: float64, of the shape of the queues.

    Source: Avellaneda, Reed and Stoikov (2011), forecasting prices from level-I quotes, equation for u(x, y) without hidden liquidity; Cont and de Larrard
    (2012), the diffusion limit. With no correlation it is (2 / pi) arctan(bid / ask).
    """
    slope = np.sqrt((1 + correlation) / (1 - correlation))
    bid, ask = np.asarray(bid_lots, float), np.asarray(ask_lots, float)
    return 0.5 * (1 + np.arctan(slope * (bid - ask) / (bid + ask)) / np.arctan(slope))


def p_up_balanced(bid_orders, ask_orders):
    """Return the probability that the ask empties first, for two queues of unit orders that come and go at one and the same rate.

    bid_orders, ask_orders: whole numbers >= 1. Error below 1e-9. Source: Cont and de Larrard (2013), price dynamics in a Markovian limit order market,
    proposition 3: an integral of sin(n t) cos(t/2) / sin(t/2) (2 - cos t - sqrt((2 - cos t)^2 - 1))^p over 0 to pi, over pi.
    """
    from scipy.integrate import quad

    def integrand(t):
        reach = 2 - np.cos(t)
        return np.sin(bid_orders * t) * np.cos(t / 2) / np.sin(t / 2) * (reach - np.sqrt(reach * reach - 1)) ** ask_orders

    return quad(integrand, 0, np.pi, limit=200 + 4 * int(bid_orders), epsabs=1e-10)[0] / np.pi
