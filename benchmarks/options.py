"""How fast is a plain option's Monte Carlo on the engine's draws, compared with QuantLib's? One thread each.

    python benchmarks/options.py [paths] [turns]

A European call and an option to exchange one asset for another, one step of geometric Brownian motion: the
engine's normals by address and ten lines of JAX, QuantLib's pseudo-random Monte Carlo in double precision,
and PyTorch's normals, each if its package is installed, at equal paths, in turns. The benchmark fails unless
all prices agree with Black and Scholes (1973) or Margrabe (1978) within 4 of their own standard errors.
"""

import importlib.util
import math
import sys
import time

from engine.run.host import prepare_devices

SPOTS, VOLATILITIES, YIELDS = (100.0, 95.0), (0.30, 0.25), (0.02, 0.01)
STRIKE, RATE, CORRELATION, YEARS = 105.0, 0.04, 0.6, 1.0
REACH = 4.0
"""Standard errors that a price may deviate from its closed form."""


def normal(x: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def forward_spread(first: float, second: float, deviation: float) -> float:
    """E[(X - Y)^+] of lognormals with these means and a log ratio of this standard deviation.

    >>> round(forward_spread(100.0, 100.0, 0.2), 4)
    7.9656
    """
    d = (math.log(first / second) + 0.5 * deviation**2) / deviation
    return first * normal(d) - second * normal(d - deviation)


def black_scholes() -> float:
    """e^{-rT} E[(S_T - K)^+] for the first asset."""
    forward = SPOTS[0] * math.exp((RATE - YIELDS[0]) * YEARS)
    return math.exp(-RATE * YEARS) * forward_spread(forward, STRIKE, VOLATILITIES[0] * math.sqrt(YEARS))


def margrabe() -> float:
    """e^{-rT} E[(S1_T - S2_T)^+], in which the rate cancels."""
    (s, t), (a, b) = SPOTS, VOLATILITIES
    deviation = math.sqrt((a**2 + b**2 - 2.0 * CORRELATION * a * b) * YEARS)
    return forward_spread(s * math.exp(-YIELDS[0] * YEARS), t * math.exp(-YIELDS[1] * YEARS), deviation)


CLOSED = {"call": black_scholes, "exchange": margrabe}


def discounted(payoff: str, z, exp, most):
    """e^{-rT} payoff of normals z [2 ...] by any library's `exp` and maximum with zero."""
    both = (z[0], CORRELATION * z[0] + math.sqrt(1.0 - CORRELATION**2) * z[1])
    ends = [
        s * exp((RATE - q - 0.5 * v**2) * YEARS + v * math.sqrt(YEARS) * x)
        for s, v, q, x in zip(SPOTS, VOLATILITIES, YIELDS, both, strict=True)
    ]
    return math.exp(-RATE * YEARS) * most(ends[0] - (STRIKE if payoff == "call" else ends[1]))


def moments(first: float, second: float, paths: int) -> tuple[float, float]:
    """Mean and its standard error of sums of values and of their squares."""
    mean = first / paths
    return mean, math.sqrt(max(second / paths - mean**2, 0.0) / paths)


def engine(paths: int):
    """price(payoff, seed) on the engine's draws, a few thousand paths a step."""
    import jax
    import jax.numpy as jnp

    from engine.draws.address import seed_words, words
    from engine.draws.random import normal_pair

    batch = 8192
    zero = jnp.zeros((), jnp.int32)

    def pair(seed, path):
        # Two arrays: in one, they would be drawn again for every element read.
        return normal_pair(*words(seed, path, zero, "systematic", 2))

    def price(seed, payoff):
        def add(step, sums):
            ids = step * batch + jnp.arange(batch, dtype=jnp.int64)
            z = jax.vmap(pair, in_axes=(None, 0))(seed, ids)
            value = discounted(payoff, z, jnp.exp, lambda x: jnp.maximum(x, 0.0)).astype(jnp.float64)
            return sums + jnp.stack([jnp.sum(value), jnp.sum(value**2)])

        return jax.lax.fori_loop(0, paths // batch, add, jnp.zeros(2))

    run = jax.jit(price, static_argnames="payoff")
    return lambda payoff, seed: moments(*map(float, run(seed_words(seed), payoff=payoff)), paths)


def quantlib(paths: int):
    """price(payoff, seed) by QuantLib's Monte Carlo engines."""
    import QuantLib as ql

    today = ql.Date(1, 1, 2025)
    ql.Settings.instance().evaluationDate = today
    days = ql.Actual365Fixed()

    def curve(rate):
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, days))

    processes = [
        ql.BlackScholesMertonProcess(
            ql.QuoteHandle(ql.SimpleQuote(s)), curve(q), curve(RATE),
            ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), v, days)),
        )
        for s, v, q in zip(SPOTS, VOLATILITIES, YIELDS, strict=True)
    ]  # fmt: skip
    exercise = ql.EuropeanExercise(today + int(365 * YEARS))
    paid = ql.PlainVanillaPayoff(ql.Option.Call, STRIKE)
    apart = ql.SpreadBasketPayoff(ql.PlainVanillaPayoff(ql.Option.Call, 0.0))
    both = ql.StochasticProcessArray(processes, [[1.0, CORRELATION], [CORRELATION, 1.0]])
    settings = {"timeSteps": 1, "requiredSamples": paths}

    def price(payoff: str, seed: int) -> tuple[float, float]:
        if payoff == "call":
            option = ql.VanillaOption(paid, exercise)
            option.setPricingEngine(ql.MCEuropeanEngine(processes[0], "pseudorandom", seed=seed, **settings))
        else:
            option = ql.BasketOption(apart, exercise)
            option.setPricingEngine(ql.MCEuropeanBasketEngine(both, "pseudorandom", seed=seed, **settings))
        return option.NPV(), option.errorEstimate()

    return price


def pytorch(paths: int):
    """price(payoff, seed) by PyTorch in float32."""
    import torch

    torch.set_num_threads(1)

    def price(payoff: str, seed: int) -> tuple[float, float]:
        z = torch.randn(2, paths, generator=torch.Generator().manual_seed(seed))
        value = discounted(payoff, z, torch.exp, torch.relu).double()
        return moments(float(value.sum()), float((value**2).sum()), paths)

    return price


PEERS = {"QuantLib": ("QuantLib", quantlib, "float64"), "PyTorch": ("torch", pytorch, "float32")}


def main(paths: int = 2**20, turns: int = 5) -> None:
    """Time the installed contenders in turns; check every price."""
    prepare_devices(1)
    from record import Record, peak_memory, ratios, spread

    everybody = {"engine": engine(paths)}
    for name, (package, make, _) in PEERS.items():
        if importlib.util.find_spec(package) is None:
            print(
                f"{name} is not installed, so its rows are left out: `pip install {package}` brings them in"
            )
        else:
            everybody[name] = make(paths)
    for payoff, closed in CLOSED.items():
        want, rates, first, memory = closed(), {name: [] for name in everybody}, {}, {}
        for name, price in everybody.items():
            start = time.perf_counter()
            price(payoff, 1)
            first[name], memory[name] = time.perf_counter() - start, peak_memory()
        for turn in range(turns):
            for name, price in everybody.items():
                start = time.perf_counter()
                value, error = price(payoff, 100 + turn)
                rates[name].append(paths / (time.perf_counter() - start) / 1e6)
                if abs(value - want) > REACH * error:
                    sys.exit(f"{payoff}, {name}: got {value:.4f} ± {error:.4f}, expected {want:.4f}")
        for name, rate in rates.items():
            summary = spread(rate)
            run_s = paths / 1e6 / summary.median
            own = name == "engine"
            Record(
                "options", f"{payoff}, {name}", summary, "million paths/s", run_s,
                first[name] - run_s if own else None, "float32" if own else PEERS[name][2],
                memory_mb=memory[name],
                beside={n: ratios(rate, r) for n, r in rates.items() if own and n != name},
            ).tell()  # fmt: skip
        print(f"{payoff}: closed form {want:.4f}, the last of each within {REACH:g} standard errors")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
