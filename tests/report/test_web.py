"""The circular web as a network: links as wide as their cash, firms where their kind puts them."""

import numpy as np
import pandas as pd
import pytest

from engine.report.sections import web
from engine.report.sections.web import OTHERS, WIDE, links_of, placed


def contract(buyer, seller, kind, ordinary, tail):
    """A line of `payments`."""
    return {
        "contract": f"{buyer}_{seller}", "kind": kind, "buyer": buyer, "seller": seller, "promised": ordinary,
        "ordinary": ordinary, "tail": tail, "tail_low": tail, "tail_high": tail,
    }  # fmt: skip


def firm(name, kind, group=""):
    """A line of `firms`, as far as the network reads it."""
    return {"firm": name, "name": name, "kind": kind, "group": group}


def with_web(results, contracts, firms):
    """Results of a run of three years with these contracts and firms."""
    tables = {"payments": pd.DataFrame(contracts), "firms": pd.DataFrame(firms)}
    return results._replace(tables={**results.tables, **tables})


@pytest.fixture
def small(results):
    """A lab pays a cloud and two drawn clouds of one group, the vendor invests in the lab."""
    return with_web(
        results,
        [contract("Lab", "Cloud", "compute", 90.0, 30.0), contract("Lab", "Drawn 1", "compute", 6.0, 6.0),
         contract("Lab", "Drawn 2", "lease", 3.0, 0.0), contract("Vendor", "Lab", "equity", 30.0, 0.0)],
        [firm("Lab", "lab"), firm("Cloud", "neocloud"), firm("Vendor", "vendor"),
         firm("Drawn 1", "synthetic", "Drawn"), firm("Drawn 2", "synthetic", "Drawn")],
    )  # fmt: skip


def test_links_are_cash_a_year_between_firms_and_groups(small):
    links = links_of(small).set_index(["source", "target", "what"])
    assert small.last == "3y" and len(links) == 3
    assert links.loc[("Lab", "Cloud", "pays"), ["ordinary", "tail"]].tolist() == [30.0, 10.0]
    assert links.loc[("Lab", "Drawn", "pays"), ["ordinary", "tail"]].tolist() == [3.0, 2.0]
    assert links.loc[("Vendor", "Lab", "invests"), ["ordinary", "tail"]].tolist() == [10.0, 0.0]


def test_width_is_cash_on_one_scale_and_what_is_not_paid_is_not_drawn(small):
    (choice,) = web.web(small)
    ordinary, worst = (
        {tuple(trace.meta[:2]): trace.line.width for trace in chart.figure.data if trace.meta}
        for chart in choice.charts
    )
    assert ordinary[("Lab", "Cloud")] == WIDE.widest
    assert worst[("Lab", "Cloud")] == pytest.approx(WIDE.widest / 3.0)
    assert ordinary[("Vendor", "Lab")] == pytest.approx(WIDE.widest / 3.0)
    assert ("Vendor", "Lab") not in worst and len(ordinary) == 3
    assert "4 firms with 3 links, 43.0 USD bn a year in all on ordinary paths" in choice.charts[0].alternative
    assert "Lab pays Cloud 10.0" in choice.charts[1].alternative
    assert [str(cell) for cell in choice.charts[0].table.rows[0]] == ["Lab", "Cloud", "pays", "30.0", "10.0"]


def test_firms_stand_apart_by_kind_and_always_in_the_same_place(small):
    links = links_of(small)
    kinds = {"Lab": "lab", "Cloud": "neocloud", "Vendor": "vendor"}
    firms = placed(links, kinds)
    assert firms == placed(links[::-1], kinds)
    assert [name for name in firms] == ["Lab", "Cloud", "Vendor", "Drawn"]
    assert firms["Lab"].x < 0.0 < firms["Vendor"].x and firms["Lab"].y > firms["Cloud"].y
    places = np.asarray([[firm.x, firm.y] for firm in firms.values()])
    assert np.abs(places).max() <= 1.0 and len(np.unique(places, axis=0)) == 4


def test_small_firms_share_a_node(results):
    contracts = [contract("Lab", f"Cloud {n:02d}", "compute", 100.0 - n, 1.0) for n in range(40)]
    firms = [firm("Lab", "lab"), *(firm(f"Cloud {n:02d}", "neocloud") for n in range(40))]
    links = links_of(with_web(results, contracts, firms))
    assert len(links) == web.MOST_FIRMS and OTHERS in set(links["target"])
    assert links["ordinary"].sum() == pytest.approx(sum(100.0 - n for n in range(40)) / 3.0)


def test_no_network_of_one_link_or_none(results):
    one = with_web(results, [contract("Lab", "Cloud", "lease", 3.0, 1.0)], [firm("Lab", "lab")])
    assert web.web(one) == ()
    nothing = [contract("Lab", "Cloud", "lease", 0.0, 0.0), contract("Lab", "Lab 2", "lease", 0.0, 0.0)]
    assert web.web(with_web(results, nothing, [firm("Lab", "lab")])) == ()
