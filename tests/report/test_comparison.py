"""Changes between runs as cells: sign, error, and the mark of what cannot be told from zero."""

import pandas as pd
import pytest

from engine.report.comparison_tables import DOUBTFUL, changed, star


@pytest.mark.parametrize(
    ("change", "error", "resolved", "text"),
    [
        (3.0, 1.0, True, "+3.0 ± 1.0"),
        (-3.0, 1.0, True, "-3.0 ± 1.0"),
        (1.5, 1.0, True, "+1.5 ± 1.0 *"),
        (-3.0, 1.0, False, "-3.0 ± 1.0 *"),
        (0.0, 0.0, False, "0 ± 0"),
    ],
)
def test_a_change_has_one_kind_of_minus_and_its_mark(change, error, resolved, text):
    """Within two standard errors, or of too few paths; the same to the bit is known."""
    line = pd.Series({"es_99_change": change, "es_99_change_se": error, "es_99_resolved": resolved})
    assert str(changed(line, "es_99")) == text
    assert bool(star(line, "es_99")) == text.endswith(DOUBTFUL[0])
