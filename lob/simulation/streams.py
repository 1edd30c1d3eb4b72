"""Random streams: one for each (seed, agent's name, purpose), so that what one agent draws never moves another's numbers.

Owns the generator, xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), seeded by numpy's SeedSequence.
"""
import hashlib
import math

import numpy as np

from lob.jit import jit, pool_reader

STREAM = np.dtype([("s0", "u8"), ("s1", "u8"), ("s2", "u8"), ("s3", "u8")], align=True)
stream_at = pool_reader(STREAM)


def seeded(seed, *names):
    """Return the state of the stream called `names` under `seed`: u8[4]."""
    return np.random.SeedSequence([seed, *names]).generate_state(4, np.uint64)


def number_of(name):
    """Return the number by which `seeded` knows a name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


@jit(inline=True)
def _rotate(word, bits):
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@jit
def next_word(stream):
    """Return 64 random bits."""
    result = _rotate(stream.s0 + stream.s3, 23) + stream.s0
    shifted = stream.s1 << np.uint64(17)
    stream.s2 ^= stream.s0
    stream.s3 ^= stream.s1
    stream.s1 ^= stream.s2
    stream.s0 ^= stream.s3
    stream.s2 ^= shifted
    stream.s3 = _rotate(stream.s3, 45)
    return result


@jit(inline=True)
def uniform(stream):
    """Return a float in [0, 1), 53 bits fine."""
    return np.float64(next_word(stream) >> np.uint64(11)) * 2.0**-53


@jit(inline=True)
def exponential(stream, mean):
    """Return an exponential time with a mean."""
    return -mean * math.log1p(-uniform(stream))


@jit
def normal(stream):
    """Return a standard normal number (Box and Muller, 1958)."""
    radius = math.sqrt(-2.0 * math.log1p(-uniform(stream)))
    return radius * math.cos(2.0 * math.pi * uniform(stream))


@jit(inline=True)
def integer(stream, low, high):
    """Return an integer in [low, high)."""
    return low + np.int64(uniform(stream) * (high - low))
