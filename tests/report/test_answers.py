"""A page and a printout open with the answer of their task."""

import io

import jax.numpy as jnp
import numpy as np
import pytest

from engine.paths.ledger import Ledger
from engine.report.answers import ANSWERS, answer, split
from engine.report.page import TOPICS, page, sections
from engine.report.terminal import print_results
from engine.results import attribution


def ledger(loss):
    """The ledger of some losses."""
    loss = jnp.asarray(loss, jnp.float32)
    one = loss[None]
    return Ledger(loss, 0 * loss, one, 0 * loss, 0 * one, 0 * one)


@pytest.fixture(scope="module")
def attributed(results):
    """The small run with an attribution: without the fire sale half of every loss is left."""
    loss = np.random.default_rng(1).gamma(2.0, 5.0, 2000)
    variants = {"base": 1.0, "fire_sale": 0.5, "orders": 0.9, "all": 0.4}
    rows = [attribution.row(name, ledger(loss), ledger(loss * share)) for name, share in variants.items()]
    tables = attribution.tables(rows)
    summary = results.summary | {"attribution": attribution.summary(tables)}
    return results._replace(tables=results.tables | tables, summary=summary)


def test_every_topic_of_a_task_has_an_answer():
    """A focus opens with a head of its own, a scenario's file with the loss."""
    leading = {topic.needs for topic in TOPICS if topic.leads}
    assert leading - {None, "focus", "scenario_path"} == set(ANSWERS)


def test_the_page_of_a_task_opens_with_its_answer(attributed, results):
    document = page(attributed)
    head = document[document.index("<h1>") : document.index("</h1>")]
    assert "Fire sale of chips adds most to ES 99%" in head and "billion dollars" not in head
    lead = document[document.index('class="lead"') : document.index("<nav")]
    assert "With all mechanisms, ES 99% is 2.50x" in lead and "the lenders of this book lose" in lead
    assert [name for name, _ in sections(attributed)][0] == "Mechanisms"
    assert [name for name, _ in sections(results)][0] == "How much"


def test_the_printout_of_a_task_opens_with_its_answer(attributed, results):
    texts = []
    for each in (attributed, results):
        file = io.StringIO()
        print_results(each, file)
        texts.append(file.getvalue())
    own, main = texts
    assert own.index("Fire sale of chips adds most") < own.index("System loss, USD bn")
    assert main.splitlines()[2].startswith("System loss")


def test_the_main_job_s_answer_is_its_loss(results):
    assert answer(results) is None


def test_a_figure_s_point_ends_no_sentence():
    assert split("It falls by 9.6 bn, from 3. Then 2.") == ("It falls by 9.6 bn, from 3.", "Then 2.")
    assert split("ES 99% of Acme Inc. and others rises.")[0] == "ES 99% of Acme Inc. and others rises."
