"""Drawn: how a script says that a parameter is drawn, `NoiseTrader(count=500, rate_hz=lognormal(0.0, 0.5))`. Each agent gets a number of its own.

Owns the names; what they mean is `distribution`'s.
"""
from lob.simulation.distribution import Distribution


def uniform(low, high):
    """Return the Distribution of numbers from low to high, each as likely as the others; for an int field both ends count."""
    return Distribution("uniform", (low, high))


def normal(mean, deviation):
    """Return the normal Distribution."""
    return Distribution("normal", (mean, deviation))


def lognormal(log_mean, log_deviation):
    """Return the Distribution of numbers whose logarithm is normal."""
    return Distribution("lognormal", (log_mean, log_deviation))


def exponential(mean):
    """Return the exponential Distribution."""
    return Distribution("exponential", (mean,))


def gamma(shape, scale):
    """Return the gamma Distribution."""
    return Distribution("gamma", (shape, scale))


def choice(values):
    """Return the Distribution that takes each of some values as often as the others."""
    return Distribution("choice", tuple(values))
