import pytest

from kerasseg import names


def test_an_unknown_name_lists_the_choices_and_the_nearest():
    with pytest.raises(ValueError, match=r"Did you mean 'unet'.*Known: fcn, unet"):
        names.look_up("unte", {"unet": 1, "fcn": 2}, "architecture")


def test_an_unknown_option_names_its_owner():
    with pytest.raises(ValueError, match=r"Unknown option of \[train\].*'epochs'"):
        names.check_options(["epoch"], ["epochs", "seed"], "[train]")


@pytest.mark.parametrize("given", [[{"image": 1}], ({},), {"train": 1}])
def test_what_is_no_data_set_is_told_how_to_become_one(given):
    kind = type(given).__name__
    with pytest.raises(ValueError, match=rf"Samples\(.* Received: {kind} without nam"):
        names.check_samples(given, "__len__", "names")


def test_names_far_from_all_get_no_suggestion():
    assert names.nearest("xyz", ["unet", "fcn"]) == ""


def test_imported_names_are_those_of_the_package():
    from kerasseg import zoo

    assert names.imported("kerasseg.zoo") == zoo.names()
