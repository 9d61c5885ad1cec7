"""Prefixes that trainings put before all names."""

import pytest


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.module.", "model.net."])
def test_prefixes_of_all_names_are_taken_off(tmp_path, prefix):
    from kerasseg.weights.prefixes import without_prefixes

    names = ["encoder.conv1.weight", "head.bias"]
    found = without_prefixes({prefix + name: 0 for name in names}, "a.pth")
    assert list(found) == names
    some = {prefix + names[0]: 0, names[1]: 0}
    assert without_prefixes(some, "a.pth") == some
