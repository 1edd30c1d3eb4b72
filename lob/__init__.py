"""lob: a limit order book engine with market-maker agents; the names that users write.

Owns the public surface. Each name is fetched from the module it lives in when it is first asked for, so that `import lob` itself costs nothing:
who only reads a tape does not wait for the compiler, who only runs an agent does not wait for the tables.
"""
from importlib import import_module

_NAMES_OF = {
    "lob.analytics.markouts": ("fill_markouts", "markouts"),
    "lob.analytics.profit": ("profit_and_loss",),
    "lob.errors": ("AgentError", "FeedError", "LobError", "ScenarioError", "TapeError"),
    "lob.exchange.order_book": ("OrderBook",),
    "lob.exchange.reference": ("ReferenceBook",),
    "lob.exchange.venue": ("Allocation", "FeeTier", "Venue"),
    "lob.feeds.feed": ("Feed",),
    "lob.grid": ("sweep",),
    "lob.instrument": ("Instrument",),
    "lob.messages": ("REPORT", "REQUEST", "Action", "CancelReason", "Flag", "Phase", "RejectReason", "ReportKind", "SelfTrade", "Side", "TimeInForce"),
    "lob.simulation.agent": ("Agent", "compiled"),
    "lob.simulation.drawn": ("choice", "exponential", "gamma", "lognormal", "normal", "uniform"),
    "lob.simulation.fields": ("Array",),
    "lob.simulation.check": ("check_agent",),
    "lob.simulation.fundamental": ("Fundamental",),
    "lob.simulation.latency": ("Latency",),
    "lob.simulation.session": ("Run", "Simulation"),
    "lob.tape.record": ("Tape",),
    "lob.tape.verify": ("verify",),
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names}

__all__ = sorted([*_MODULE_OF, "__version__", "feeds"])


def __getattr__(name):
    if name in _MODULE_OF:
        value = getattr(import_module(_MODULE_OF[name]), name)
    elif name == "feeds":
        value = import_module("lob.feeds")
    elif name == "__version__":
        value = _version()
    else:
        raise AttributeError(f"module 'lob' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return __all__


def _version():
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("queuerace")
    except PackageNotFoundError:
        return "0+unknown"  # a checkout that was never installed
