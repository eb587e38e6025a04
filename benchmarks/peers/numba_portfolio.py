"""The classic credit portfolio in Numba, float32, one range of paths a thread.

Given the factors an obligor defaults if a 32-bit uniform lies below Phi(a_k . Z / residual_k - threshold_k /
residual_k). `plain` is the obvious loop; `vectorised` is laid out so that the compiler turns every inner loop
into vector instructions: as many random generators side by side as a path needs 64-bit words,
a product of matrices for a block of paths, and Phi from multiplications, additions and one division. As for
NumPy, BLAS must have one thread.
"""

import math

import numba
import numpy as np
from numba import njit, prange

BLOCK = 64
"""Paths whose a . Z are one product of matrices; the result fits the second-level cache."""
F32, U32, U64 = np.float32, np.uint32, np.uint64
UNIT = F32(2.0**-32)
FAST = {"fastmath": True, "error_model": "numpy"}
"""Without the second, division by zero is checked and no loop with a division is vectorised."""


@njit(**FAST, inline="always")
def rotate(word, bits):
    """Rotate a 64-bit word to the left."""
    return (word << U64(bits)) | (word >> U64(64 - bits))


@njit(**FAST)
def splitmix(index):
    """Word `index` of splitmix64 (Steele, Lea and Flood 2014), which seeds the generators."""
    x = U64(index) * U64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> U64(30))) * U64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> U64(27))) * U64(0x94D049BB133111EB)
    return x ^ (x >> U64(31))


@njit(**FAST)
def seed_lanes(seed, thread, lanes):
    """States of `lanes` generators."""
    state = np.empty((2, lanes), U64)
    for lane in range(lanes):
        index = U64(seed) * U64(1 << 40) + U64(thread) * U64(1 << 20) + U64(2 * lane)
        state[0, lane], state[1, lane] = splitmix(index + U64(1)), splitmix(index + U64(2))
    return state


@njit(**FAST)
def draw(state, words):
    """Two 32-bit words from each generator, xoroshiro128++ (Blackman and Vigna 2021): low ones, then high."""
    first, second = state[0], state[1]
    lanes = first.size
    for lane in range(lanes):
        a, b = first[lane], second[lane]
        word = rotate(a + b, 17) + a
        b ^= a
        first[lane] = rotate(a, 49) ^ b ^ (b << U64(21))
        second[lane] = rotate(b, 28)
        words[lane], words[lanes + lane] = U32(word), U32(word >> U64(32))


@njit(**FAST)
def normal(word, other):
    """Box-Muller; the factors are few."""
    radius = np.sqrt(F32(-2.0) * np.log((F32(word) + F32(0.5)) * UNIT))
    return radius * np.cos(F32(other) * F32(2.0**-32 * 2.0 * np.pi))


@njit(**FAST, inline="always")
def phi(x):
    """Normal distribution function to 1e-5 of itself: Chebyshev fit of erfc (Numerical Recipes, 6.2.2)."""
    z = abs(x) * F32(math.sqrt(0.5))
    t = F32(1.0) / (F32(1.0) + F32(0.5) * z)
    q = F32(0.17087277) * t - F32(0.82215223)
    q = q * t + F32(1.48851587)
    q = q * t - F32(1.13520398)
    q = q * t + F32(0.27886807)
    q = q * t - F32(0.18628806)
    q = q * t + F32(0.09678418)
    q = q * t + F32(0.37409196)
    q = q * t + F32(1.00002368)
    q = q * t - F32(1.26551223)
    # exp(q - z^2) as a power of two times a polynomial: the library's exp is a call for every number.
    power = max(q - z * z, F32(-80.0)) * F32(1.0 / math.log(2.0))
    whole = np.floor(power + F32(0.5))
    r = (power - whole) * F32(math.log(2.0))
    e = F32(1.0 / 120.0) * r + F32(1.0 / 24.0)
    e = e * r + F32(1.0 / 6.0)
    e = e * r + F32(0.5)
    e = (e * r + F32(1.0)) * r + F32(1.0)
    half = F32(0.5) * t * e * U32(U32(whole + F32(127.0)) << U32(23)).view(F32)
    return half if x < F32(0.0) else F32(1.0) - half


@njit(**FAST)
def total(drift, level, words, cost):
    """Cost of the obligors whose uniform lies below Phi(drift - level)."""
    loss = F32(0.0)
    for k in range(cost.size):
        loss += cost[k] if F32(words[k]) * UNIT < phi(drift[k] - level[k]) else F32(0.0)
    return loss


@njit(**FAST, parallel=True)
def vectorised(lift, level, cost, seed, threads, losses):
    """Fill `found` [paths]; `lift` [factors obligors] and `level` are divided by the residual."""
    factors, obligors = lift.shape
    lanes = (max(obligors, 2 * factors) + 1) // 2
    for thread in prange(threads):
        state, words = seed_lanes(seed, thread, lanes), np.empty(2 * lanes, U32)
        z, drift = np.zeros((BLOCK, factors), F32), np.empty((BLOCK, obligors), F32)
        begin, end = thread * losses.size // threads, (thread + 1) * losses.size // threads
        for first in range(begin, end, BLOCK):
            count = min(BLOCK, end - first)
            for row in range(count):
                draw(state, words)
                for factor in range(factors):
                    z[row, factor] = normal(words[2 * factor], words[2 * factor + 1])
            np.dot(z, lift, drift)
            for row in range(count):
                draw(state, words)
                losses[first + row] = total(drift[row], level, words, cost)


@njit(**FAST, parallel=True)
def plain(lift, level, cost, seed, threads, losses):
    """The same, one number at a time; `lift` is [factors obligors]."""
    factors, obligors = lift.shape
    for thread in prange(threads):
        state, words, z = seed_lanes(seed, thread, 1), np.empty(2, U32), np.empty(factors, F32)
        drift = np.empty(obligors, F32)
        for path in range(thread * losses.size // threads, (thread + 1) * losses.size // threads):
            for factor in range(factors):
                draw(state, words)
                z[factor] = normal(words[0], words[1])
            drift[:] = -level
            for factor in range(factors):
                for k in range(obligors):
                    drift[k] += lift[factor, k] * z[factor]
            loss = F32(0.0)
            for k in range(obligors):
                if k % 2 == 0:
                    draw(state, words)
                if F32(words[k % 2]) * UNIT < F32(0.5) * math.erfc(drift[k] * F32(-math.sqrt(0.5))):
                    loss += cost[k]
            losses[path] = loss


def losses(book, paths: int, seed: int, threads: int, kernel) -> np.ndarray:
    """Losses [paths], float32. `book` is (threshold, residual, loadings, cost); `kernel` one of the above."""
    threshold, residual, loadings, cost = book
    numba.set_num_threads(threads)
    losses = np.empty(paths, F32)
    lift = np.ascontiguousarray((loadings / residual[:, None]).T, F32)
    kernel(lift, (threshold / residual).astype(F32), cost.astype(F32), seed, threads, losses)
    return losses
