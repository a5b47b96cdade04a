"""Windows of the walk-forward and the table that tells of them."""

from conftest import BEGIN
from tillerml import folds


def test_half_years_follow_each_other_without_a_gap():
    found = folds.half_years((2023, 2), (2024, 2))
    assert [fold.name for fold in found] == ["2023H2", "2024H1", "2024H2"]
    assert [fold.test_to for fold in found[:-1]] == [fold.test_from for fold in found[1:]]
    assert found[0].test_from == 1_688_169_600


def test_training_windows_expand_and_end_a_horizon_and_an_embargo_before_the_test(rows):
    shown = tuple(folds.Fold(str(n), BEGIN + 3_600 * n, BEGIN + 3_600 * (n + 1_000)) for n in (3_000, 4_000, 5_000))
    table = folds.fold_table(rows, shown)
    assert len(table) == 3 * 4
    for one in table:
        assert one["lastTargetEnds"] + one["horizonHours"] * 3_600 <= one["testFrom"]
    weeks = [one["trainRows"] for one in table if one["horizonHours"] == 168]
    assert weeks[0] < weeks[1] < weeks[2]


def test_test_rows_are_inside_their_window_and_in_no_other(rows):
    first, second = (folds.Fold(str(n), BEGIN + 3_600 * n, BEGIN + 3_600 * (n + 500)) for n in (3_000, 3_500))
    a, b = (set(folds.test_rows(rows, 0, fold)) for fold in (first, second))
    assert a and b and not a & b
    assert all(first.test_from <= rows.times[k] < first.test_to for k in a)
