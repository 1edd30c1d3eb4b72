"""Order flow imbalance: what orders at the touch add up to, and what the mid makes of it.

Every change of the touch contributes, with P and q the best prices and their lots,

    e = 1{P_b >= P_b'} q_b - 1{P_b <= P_b'} q_b' - 1{P_a <= P_a'} q_a + 1{P_a >= P_a'} q_a'        (a prime: before the change)

and over a window the mid moves by about beta x OFI, with beta near 1 / (2 depth). Beside it, what the signed volume of trades alone explains. Source: Cont,
Kukanov and Stoikov (2014), the price impact of order book events, equations (1) to (4). Errors are heteroskedasticity-robust: White (1980), with n / (n - 2).
"""
import numpy as np

from lob.analytics.notes import known, shortage
from lob.analytics.quotes import Mids, quotes
from lob.analytics.records import last_at
from lob.analytics.trades import trades
from lob.jit import jit, pool_reader
from lob.tape.replay import TOUCH

WINDOWS_NS = (100_000_000, 1_000_000_000, 10_000_000_000, 60_000_000_000)
WINDOWS_MIN = 30
touch_at = pool_reader(TOUCH)
NO_ASK = 2**40  # an empty ask side is higher than any price, as an empty bid side, 0, is lower


def contributions(touches):
    """Return e of each touch against the one before it, in lots: int64[m]; that of the first is 0. touches: TOUCH[m]."""
    e = np.zeros(len(touches), np.int64)
    _contribute(touches.ctypes.data, e)
    return e


@jit
def _contribute(touches, e):
    for i in range(1, len(e)):
        now, was = touch_at(touches, i), touch_at(touches, i - 1)
        e[i] = contribution(was.best_bid_ticks, was.bid_lots, now.best_bid_ticks, now.bid_lots)
        # A higher ask is a lower one of prices turned upside down, where an empty side is the least of all.
        e[i] -= contribution(-(was.best_ask_ticks or NO_ASK), was.ask_lots, -(now.best_ask_ticks or NO_ASK), now.ask_lots)


@jit
def contribution(was_urgency, was_lots, urgency, lots):
    """Return what one side of the touch contributes, as if it were the bid: its lots where its price is as good or better, less those before where not."""
    return (urgency >= was_urgency) * lots - (urgency <= was_urgency) * was_lots


def window_sums(tape, window_ns, book=0):
    """Return (OFI in lots, signed traded lots, mid move in ticks) of whole windows, from the first mid on: int64[n], int64[n], float64[n]."""
    mids = Mids.of(tape, book)
    if len(mids.time_ns) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    edges = np.arange(max(mids.time_ns[0], tape.start_ns), tape.end_ns + 1, window_ns)
    running = [total[last_at(times, edges) + 1] for times, total in tape.derived(_running, book)]
    mid, _ = mids.at_times(edges)
    return np.diff(running[0]), np.diff(running[1]), np.diff(mid) / 2


def imbalance_between(tape, from_ns, to_ns, book=0):
    """Return (OFI, signed traded lots) in (from, to]: int64[n] each. from_ns, to_ns: int64[n] each."""
    return [total[last_at(times, to_ns) + 1] - total[last_at(times, from_ns) + 1] for times, total in tape.derived(_running, book)]


def _running(tape, book):
    """Return (times, running sums of e), (times, running sums of signed lots), each sum with a 0 before it."""
    touches, traded = quotes(tape, book), trades(tape, book)
    series = (touches["time_ns"].copy(), contributions(touches)), (traded["time_ns"].copy(), traded["side"] * traded["lots"])
    return [(times, np.concatenate([[0], np.cumsum(values)])) for times, values in series]


def regression(x, y):
    """Return (slope, robust standard error, intercept, R squared) of y on x by least squares; nan where x does not vary."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    from_mean = x - x.mean()
    spread = (from_mean**2).sum()
    if spread == 0 or len(x) < 3:
        return np.nan, np.nan, np.nan, np.nan
    slope = (from_mean * y).sum() / spread
    intercept = y.mean() - slope * x.mean()
    residual, total = y - intercept - slope * x, ((y - y.mean()) ** 2).sum()
    error = np.sqrt(len(x) / (len(x) - 2) * (from_mean**2 * residual**2).sum()) / spread
    return slope, error, intercept, 1 - (residual**2).sum() / total if total > 0 else np.nan


def order_flow_imbalance(tape, windows_ns=WINDOWS_NS, book=0):
    """Return the regressions of the mid's moves on OFI and on signed volume, by window: a polars frame.

    Columns: window_ns, window_s, windows, beta (ticks per lot of OFI), beta_error, r_squared, trade_beta, trade_beta_error, trade_r_squared, half_depth
    (1 / (2 x mean lots of a best queue), what beta would be in a book of constant depth), note. Null, with a note, with fewer than 30 windows.
    """
    import polars as pl

    touches, lines = quotes(tape, book), []
    for window_ns in windows_ns:
        ofi, signed, moves = window_sums(tape, window_ns, book)
        note = shortage(len(ofi), WINDOWS_MIN, "windows")
        slope, error, _, fit = regression(ofi, moves) if note is None else [np.nan] * 4
        trade_slope, trade_error, _, trade_fit = regression(signed, moves) if note is None else [np.nan] * 4
        depth = (touches["bid_lots"].mean() + touches["ask_lots"].mean()) / 2 if len(touches) else 0
        numbers = [known(number) for number in (slope, error, fit, trade_slope, trade_error, trade_fit, 0.5 / depth if depth and note is None else np.nan)]
        lines.append((window_ns, window_ns / 1e9, len(ofi), *numbers, note))
    floats = ("beta", "beta_error", "r_squared", "trade_beta", "trade_beta_error", "trade_r_squared", "half_depth")
    schema = {"window_ns": pl.Int64, "window_s": pl.Float64, "windows": pl.Int64} | dict.fromkeys(floats, pl.Float64) | {"note": pl.String}
    return pl.DataFrame(lines, schema=schema, orient="row")
