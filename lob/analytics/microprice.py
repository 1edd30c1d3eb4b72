"""Microprice: the mid, corrected by what the queues say about its next moves.

Owns a Markov chain whose states are (imbalance class, spread), fitted to the touches of a tape. With T the passages without a mid move, R the first mid
moves and K the passages at a move, micro-price = mid + G*, G* = the limit of G1 + B G1 + B^2 G1 + ..., G1 = (1 - T)^-1 R and B = (1 - T)^-1 K. Also the
probability that the first move is up. Every step counts with its mirror image, so that the correction is zero when the queues are even.
Source: Stoikov (2018), The micro-price: a high-frequency estimator of future prices.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.quotes import is_two_sided_at, quotes, touch_at
from lob.jit import jit

IMBALANCES, SPREADS, STEPS_MAX = 10, 3, 6


@dataclass(frozen=True)
class Microprice:
    """The fitted chain: by state, what is added to the mid (in ticks), the probability that the first move is up, how often the state was left."""

    correction_ticks: np.ndarray
    p_up: np.ndarray
    visits: np.ndarray

    @classmethod
    def fit(cls, tape, until_ns=None, book=0):
        """Fit the chain to the touches of a tape, up to and including `until_ns`; states never met have correction 0 and p_up one half."""
        touches, size = quotes(tape, book), IMBALANCES * SPREADS
        stay, move, first = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, 3))
        _count(touches.ctypes.data, len(touches), 2**63 - 1 if until_ns is None else until_ns, stay, move, first)
        stay, move, first = stay + _mirrored(stay), move + _mirrored(move), first + _mirrored_moves(first)
        return cls(*_solve(stay, move, first), first[:, 2])

    def of(self, touches):
        """Return (micro-price in ticks, probability that the next mid move is up) at every touch with both sides: float64[n] each."""
        states = state_of(touches)
        mid = (touches["best_bid_ticks"] + touches["best_ask_ticks"]) / 2
        return mid + self.correction_ticks[states], self.p_up[states]

    def to_polars(self):
        """Return the table of states: imbalance (middle of its class), spread_ticks (the last one: or more), visits, correction_ticks, p_up."""
        import polars

        imbalance = (np.tile(np.arange(IMBALANCES), SPREADS) + 0.5) / IMBALANCES
        spread = np.repeat(np.arange(1, SPREADS + 1), IMBALANCES)
        columns = {"imbalance": imbalance, "spread_ticks": spread, "visits": self.visits, "correction_ticks": self.correction_ticks, "p_up": self.p_up}
        return polars.DataFrame(columns)


def state_of(touches):
    """Return the number of the state at each touch: imbalance class within spread class."""
    states = np.empty(len(touches), np.int64)
    touches = np.ascontiguousarray(touches)
    _write_states(touches.ctypes.data, states)
    return states


@jit
def _write_states(touches, states):
    for i in range(len(states)):
        touch = touch_at(touches, i)
        states[i] = state(touch.best_ask_ticks - touch.best_bid_ticks, touch.bid_lots, touch.ask_lots)


@jit
def state(spread_ticks, bid_lots, ask_lots):
    """Return the number of the state of one touch with both sides."""
    imbalance = min(int(IMBALANCES * (bid_lots / (bid_lots + ask_lots))), IMBALANCES - 1)
    return (min(max(spread_ticks, 1), SPREADS) - 1) * IMBALANCES + imbalance


def _mirror():
    """Return the state of the same spread in which bid and ask have changed places, for every state."""
    return np.arange(IMBALANCES * SPREADS).reshape(SPREADS, IMBALANCES)[:, ::-1].ravel()


def _mirrored(counts):
    return counts[np.ix_(_mirror(), _mirror())]


def _mirrored_moves(first):
    # Sum of half-ticks changes its sign, ups become downs; the number of leavings stays.
    there = first[_mirror()]
    return np.stack([-there[:, 0], there[:, 2] - there[:, 1], there[:, 2]], axis=1)


@jit
def _count(touches, touch_count, until_ns, stay, move, first):
    """Count passages between touches with both sides without a mid move, with one, and of the moves: half-ticks, ups, all."""
    here, mid = -1, 0
    for i in range(touch_count):
        touch = touch_at(touches, i)
        if touch.time_ns > until_ns:
            return
        if not is_two_sided_at(touch):
            continue
        there, half_ticks = state(touch.best_ask_ticks - touch.best_bid_ticks, touch.bid_lots, touch.ask_lots), touch.best_bid_ticks + touch.best_ask_ticks
        if here >= 0 and half_ticks == mid:
            if here != there:
                stay[here, there] += 1
        elif here >= 0:
            move[here, there] += 1
            first[here, 0] += half_ticks - mid
            first[here, 1] += half_ticks > mid
            first[here, 2] += 1
        here, mid = there, half_ticks


def _solve(stay, move, first):
    """Return (correction in ticks, p_up) of every state."""
    total = stay.sum(1) + move.sum(1)
    scale = np.where(total > 0, total, 1)[:, None]
    inverse = np.linalg.pinv(np.eye(len(stay)) - stay / scale)
    step, passage = inverse @ (first[:, :1] / scale) / 2, inverse @ (move / scale)
    correction, term = np.zeros(len(stay)), step[:, 0]
    for _ in range(STEPS_MAX):
        correction, term = correction + term, passage @ term
    absorbed = (inverse @ (first[:, 2:] / scale))[:, 0]
    up = (inverse @ (first[:, 1:2] / scale))[:, 0]
    return correction, np.where(absorbed > 1e-9, up / np.where(absorbed > 1e-9, absorbed, 1), 0.5)
