"""The catalogue of published weights: every entry whole, every file where it says."""

import hashlib
import re

import numpy as np
import pytest

from kerasseg import encoders, tasks, weights, zoo
from kerasseg.weights import WeightsError, catalog, downloads, hub

ENTRIES = sorted(catalog.entries().values(), key=lambda entry: entry.name)
NAMES = [entry.name for entry in ENTRIES]
OURS = [entry for entry in ENTRIES if entry.stored]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASSEG_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_an_entry_says_all_that_its_readers_need(entry):
    assert entry.licence and entry.data and entry.weak and entry.verified
    assert entry.task == "encoder" or entry.task in tasks.TASKS
    if entry.task == "encoder":
        assert entry.architecture in encoders.ENCODERS
        assert entry.name == f"{entry.architecture}_imagenet"
        return
    builder = zoo.BUILDERS[entry.architecture]
    assert builder.task == entry.task and entry.classes
    tasks.named(entry.task).make_options(entry.predict)
    if entry.reference:
        assert zoo.REFERENCES[entry.reference] is builder
    # Models of objects leave out the first class.
    assert entry.task == "semantic" or entry.classes[0] == "background"
    assert entry.colors is None or len(entry.colors) == len(entry.classes)


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_a_file_has_one_place_and_a_checksum_where_one_is_known(entry):
    places = entry.url, entry.stored, entry.file, entry.fetched_by
    assert sum(place is not None for place in places) == 1
    if entry.url:
        assert entry.url.startswith("https://")
        named = re.search(r"-[0-9a-f]{8}\.pth$", entry.url)
        assert named or entry.sha256
    if catalog.HUB in (entry.url or ""):  # one file for ever
        assert re.search("/resolve/[0-9a-f]{40}/", entry.url)
        assert len(entry.sha256) == 64 or entry.sha256 == catalog.STATED
    else:
        assert re.fullmatch("[0-9a-f]*", entry.sha256)


@pytest.mark.parametrize(
    "entry", [x for x in ENTRIES if x.stored], ids=lambda x: x.name
)
def test_our_own_files_are_small_and_those_that_the_entry_means(entry):
    data = entry.path().read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry.sha256
    assert round(len(data) / 1e6, 2) == entry.megabytes and len(data) <= 5e6
    arrays = weights.read(entry.path())
    assert sum(x.nbytes for x in arrays.values() if x.dtype == "float32") < 1e5


def test_our_own_files_are_small_together():
    files = [path for path in catalog.STORE.iterdir() if path.suffix == ".npz"]
    assert sum(path.stat().st_size for path in files) < 25e6
    assert {path.name for path in files} == {entry.stored for entry in OURS}


def test_others_files_in_the_store_lie_beside_their_licence():
    for entry in OURS:
        if entry.page:  # somebody else's
            text = (catalog.STORE / f"LICENSE.{entry.name}").read_text("utf-8")
            assert entry.stored in text and "Apache License" in text


def test_names_are_filtered_by_task_and_licence():
    assert {"people", "shapes", "segformer_b0_ade20k"} <= {*catalog.names("semantic")}
    assert "segformer_b0_ade20k" not in catalog.names(only_open=True)
    with pytest.raises(ValueError, match="`task` must be one of"):
        catalog.names("semantics")


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'resnet50_imagenet'"):
        catalog.entry("resnet_50_imagenet")


def test_a_licence_that_is_not_open_must_be_accepted(cache):
    with pytest.raises(WeightsError, match="accept_licence=True"):
        catalog.entry("segformer_b0_ade20k").path()
    folder = cache / "weights" / "segformer_b0_ade20k"
    folder.mkdir(parents=True)
    data = b"put there by hand, with its checksum"
    (folder / "pytorch_model.bin").write_bytes(data)
    note = folder / "pytorch_model.bin.sha256"
    note.write_text(hashlib.sha256(data).hexdigest())
    entry = catalog.entry("segformer_b0_ade20k", accept_licence=True)
    assert entry.path() == folder / "pytorch_model.bin"


def test_what_no_program_can_download_says_where_to_put_it(cache):
    entry = catalog.entry("u2net")
    folder = cache / "weights" / "u2net"
    with pytest.raises(WeightsError) as caught:
        entry.path()
    assert entry.page in str(caught.value) and str(folder) in str(caught.value)
    folder.mkdir(parents=True)
    (folder / "u2net.pth").write_bytes(b"")
    assert entry.path() == folder / "u2net.pth"
    with pytest.raises(WeightsError, match="encoder_weights='imagenet'"):
        catalog.entry("efficientnet_lite0_imagenet").path()


@pytest.mark.parametrize(
    "weights, expected",
    [
        ("resnet50_imagenet", True),
        ("none such", True),
        ("a.npz", False),
        ("folder/name", False),
        ({}, False),
        (None, False),
        (np.zeros(1), False),
    ],
)
def test_a_name_is_told_from_a_path(weights, expected):
    assert catalog.is_name(weights) is expected


def test_files_of_one_name_are_told_apart_by_a_mirror(cache, monkeypatch):
    asked = []
    for module in (downloads, hub):
        monkeypatch.setattr(module, "fetch", lambda _, **x: asked.append(x["mirrored"]))
    for name in ("segformer_b0_ade20k", "segformer_b1_ade20k", "fcn_resnet50_coco"):
        catalog.entry(name, accept_licence=True).path()
    assert asked == [
        "segformer_b0_ade20k/pytorch_model.bin",
        "segformer_b1_ade20k/pytorch_model.bin",
        "fcn_resnet50_coco-1167a1af.pth",
    ]
    places = [entry._mirrored() for entry in ENTRIES if entry.url]
    assert len(places) == len({*places})


def test_a_file_instead_of_a_name_is_told_what_takes_one():
    with pytest.raises(ValueError, match="from_reference"):
        catalog.entry("folder/unet.pth")


def test_data_that_ask_for_it_are_credited():
    assert catalog.entry("vessels").data_licence.startswith("CC BY 4.0")
