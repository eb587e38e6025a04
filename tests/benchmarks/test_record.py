"""Results are kept and tabled as they were told, and closed forms are those of the literature."""

import dataclasses
import math

import jax
import numpy as np
import pytest
from scipy import integrate, stats

from benchmarks import accuracy, flat, options, roofline, table
from benchmarks.record import LINES, Record, ratios, records, spread

RATE = spread([10.0, 30.0, 20.0])
RESULT = Record(
    "speed", "a | b", RATE, "paths/s", 2.0, 0.5, "float64", "1 x cpu", 123.4, {"peer": spread([2.0])}
)


def test_spread_and_ratios_go_turn_by_turn():
    assert (RATE.median, RATE.low, RATE.high) == (20.0, 10.0, 30.0)
    found = ratios([10.0, 30.0], [5.0, 3.0])
    assert (found.low, found.high) == (2.0, 10.0)
    with pytest.raises(ValueError, match="at least one turn"):
        spread([])
    with pytest.raises(ValueError):
        ratios([1.0, 2.0], [1.0])


def test_what_is_told_is_kept_where_asked_and_the_last_of_a_case_counts(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("BENCH_OUT", raising=False)
    RESULT.tell()
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("BENCH_OUT", str(tmp_path / "kept"))
    again, other = dataclasses.replace(RESULT, run_s=3.0), dataclasses.replace(RESULT, case="other")
    for record in (RESULT, other, again):
        record.tell()
    assert records(tmp_path / "kept") == [again, other]
    assert "20 (10–30) paths/s, compile 0.5 s, run 2 s" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["not JSON", "[]", '{"benchmark": "x"}', '{"rate": {}, "beside": {}}'])
def test_a_line_that_is_no_result_is_named(tmp_path, line):
    (tmp_path / LINES).write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 1: got no result"):
        records(tmp_path)


def test_a_folder_without_results_says_how_to_get_some(tmp_path):
    with pytest.raises(ValueError, match="BENCH_OUT"):
        records(tmp_path)


def test_the_table_has_a_row_a_result_and_as_many_cells_as_heads():
    lines = table.table([RESULT, dataclasses.replace(RESULT, compile_s=None)]).splitlines()
    assert lines[0] == "Devices: 1 x cpu" and len(lines) == 6
    assert lines[4] == (r"| speed | a \| b | 20 (10–30) | paths/s | 0.5 | 2 | 123 | float64 | 2 × peer |")
    assert [line.replace("\\|", "").count("|") for line in lines[2:]] == [len(table.HEADS) + 1] * 4


def test_prices_in_closed_form_are_integrals_of_the_payoff():
    """By quadrature over the first asset, and over both, whose ratio is lognormal under the second."""
    volatility, dividend, rate = options.VOLATILITIES[0], options.YIELDS[0], options.RATE

    def call(x):
        end = options.SPOTS[0] * math.exp(rate - dividend - 0.5 * volatility**2 + volatility * x)
        return max(end - options.STRIKE, 0.0) * stats.norm.pdf(x)

    kink = (math.log(options.STRIKE / options.SPOTS[0]) - rate + dividend) / volatility + 0.5 * volatility
    assert options.black_scholes() == pytest.approx(math.exp(-rate) * integrate.quad(call, kink, 12.0)[0])
    a, b, c = *options.VOLATILITIES, options.CORRELATION
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    ends = [s * math.exp(-q) for s, q in zip(options.SPOTS, options.YIELDS, strict=True)]
    # Given the first normal, the exchange is an option on the second asset's own rest.
    first = ends[0] * np.exp(-0.5 * a**2 + a * nodes)
    second = ends[1] * np.exp(-0.5 * (c * b) ** 2 + c * b * nodes)
    rest = b * math.sqrt(1.0 - c**2)
    given = [options.forward_spread(x, y, rest) for x, y in zip(first, second, strict=True)]
    assert options.margrabe() == pytest.approx(weights @ given / math.sqrt(2.0 * math.pi), rel=1e-9)


def test_the_engine_s_price_is_the_closed_form_s():
    """So many paths that the errors allowed are a fiftieth of the price."""
    price = options.engine(2**18)
    for payoff, closed in options.CLOSED.items():
        value, error = price(payoff, 11)
        assert abs(value - closed()) < options.REACH * error < 0.02 * closed()


def test_a_run_is_flat_within_five_percent_of_a_million_paths():
    assert "flat: -4.0%" in flat.verdict({10**5: 1.03, 10**6: 1.0, 10**7: 0.96}, "memory")
    assert "not flat: +6.0%" in flat.verdict({10**5: 1.06, 10**6: 1.0}, "memory")


def test_worth_is_variance_at_equal_seconds():
    plain, own = [(1.0, 0.2), (5.0, 1.0)], [(1.0, 0.1), (5.0, 1.0)]
    assert accuracy.worth(plain, own, 1.0, 2.0) == [2.0, 0.5]
    assert accuracy.apart((1.0, 0.3), (3.1, 0.4)) and not accuracy.apart((1.0, 0.3), (3.0, 0.4))


def test_only_the_entry_s_own_loops_are_counted():
    program = """
%inner (p: f32[4]) -> f32[4] {
  %p = f32[4]{0} parameter(0)
  ROOT %c = f32[4]{0} copy(%p)
}

ENTRY %main (x: f32[4]) -> (f32[4], f32[4]) {
  %x = f32[4]{0} parameter(0)
  %a = f32[4]{0} fusion(%x), kind=kLoop, calls=%inner
  %d = f32[4,4]{1,0} dot(%a, %a), lhs_contracting_dims={}
  ROOT %t = (f32[4]{0}, f32[4]{0}) tuple(%a, %a)
}
"""
    assert dict(roofline.loops(program)) == {"fusion": 1, "dot": 1}


def test_operations_of_products_by_hand():
    """[4 3] times [3 5] and its transpose's transpose: 2 x 20 x 3 operations each."""
    program = """
  %x = f32[4,3]{1,0} parameter(0)
  %xt = f32[3,4]{1,0} parameter(1)
  %y = f32[3,5]{1,0} parameter(2)
  %d = f32[4,5]{1,0} dot(%x, %y), lhs_contracting_dims={1}, rhs_contracting_dims={0}
  ROOT %e = f32[4,5]{1,0} dot(%xt, %y), lhs_contracting_dims={0}, rhs_contracting_dims={0}
"""
    assert roofline.products(program) == 2 * 120


def test_a_gpu_s_peaks_count_what_the_device_does(monkeypatch):
    """A product of 256 rows is 2 x 256^3 operations; a <- a + b, run 64 times, moves 12 bytes a number."""
    made = []

    def half_a_second(run, turns):
        made.append(np.asarray(run()))
        return 0.5

    monkeypatch.setattr(roofline, "SQUARE", 256)
    monkeypatch.setattr(roofline, "BEYOND", 1000)
    monkeypatch.setattr(roofline, "best", half_a_second)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    found = roofline.peaks(1e9, 2e9, 0, turns=2)
    assert list(found.values()) == [(1e9, 2 * 2 * 256**3, "operations/s"), (2e9, 2 * 12 * 1000 * 64, "B/s")]
    assert [(each.shape, set(each.ravel())) for each in made] == [((256, 256), {64.0}), ((1000,), {64.0})]
