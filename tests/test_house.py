"""Size and style of the code: parameters, docstrings, lengths, tests of each file."""

import ast
import pathlib

TESTS = pathlib.Path(__file__).parent
ROOT = TESTS.parent / "kerasseg"
FILES = sorted(ROOT.rglob("*.py"))
MOST_PARAMETERS = 8  # but for builders and encoders, whose options are the network's
# One for each field of their options, see tests/predict/test_options.py.
OF_OPTIONS = {"predict/objects.py: instances", "predict/pixels.py: class_ids"}
OF_OPTIONS |= {"predict/star_objects.py: stars"}
# All that moves pixels is one resampling.
OF_OPTIONS |= {"augment/geometry.py: geometry"}
# Presets hand on the options of what they compose.
PRESETS = ("standard", "microscopy", "street", "medical", "inspection", "aerial")
OF_OPTIONS |= {f"augment/presets.py: {preset}" for preset in PRESETS}
MOST_LINES = 350
MOST_LINES_OF_A_FUNCTION = 52  # without its docstring
# Everything that these packages export goes through the tests of all of its kind.
CONTRACTS = {
    "zoo": "contracts/test_builders.py",
    "encoders": "contracts/test_encoders.py",
    "blocks": "contracts/test_builders.py",
    "losses": "contracts/test_losses.py",
    "classical": "classical/test_forms.py",
}
# Readers of forms of data, each with a row in tests/datasets/forms.py.
READERS = ("ade20k", "annotators", "cityscapes", "class_masks", "cvat", "labelme")
READERS += ("label_studio", "nnunet", "panoptic", "run_lengths", "stacks", "via", "voc")
READERS += ("table", "yolo")
# Parts of one other module, tested with it. No new ones without a reason.
WITH_ANOTHER = {f"datasets/{name}": "datasets/test_forms" for name in READERS} | {
    "augment/checks": "augment/test_color",
    "augment/tensors": "augment/test_color",
    "cli/exports": "runs/test_exporting",
    "cli/serve": "serving/test_server",
    "cli/many": "runs/test_many",
    "cli/train": "cli/test_main",
    "cli/convert": "datasets/test_convert",
    "cli/data": "cli/test_check_data",
    "cli/reports": "report/test_page",
    "cli/sheets": "cli/test_check_data",
    "datasets/repair": "datasets/test_examine",
    "detection/gather": "detection/test_nms",
    "detection/mask_grid": "data/test_targets",
    "detection/two_stage": "zoo/test_mask_rcnn",
    "export/programs": "export/test_formats",
    "export/warm_up": "export/test_saved_model",
    "images/bmp": "images/test_limits",
    "images/failures": "predict/test_jobs",
    "images/jpeg": "images/test_limits",
    "images/pnm": "images/test_limits",
    "images/tiff_file": "images/test_tiff_bands",
    "instance/coco_entries": "metrics/test_coco_documents",
    "layers/least_size": "zoo/test_unet",
    "loading/errors": "loading/test_keras_files",
    "predict/converted": "predict/test_engines",
    "predict/converters": "predict/test_engines",
    "predict/trials": "predict/test_engines",
    "predict/panoptic_maps": "tasks/test_panoptic",
    "predict/star_objects": "tasks/test_stars",
    "profiling/facts": "cli/test_look_around",
    "runs/workers": "runs/test_many",
    "serving/app": "serving/test_server",
    "serving/metrics": "serving/test_server",
    "tasks/checks": "recipes/test_text",
    "tasks/frames": "tasks/test_video",
    "tasks/semantic": "evaluate/test_scoring",
    "training/state": "training/test_step",
    "viz/contact_sheets": "cli/test_check_data",
    "viz/figures": "viz/test_charts",
}


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def name(path):
    return str(path.relative_to(ROOT))


def test_functions_take_few_parameters():
    found = []
    for path in FILES:
        for node in functions(path):
            if isinstance(node, ast.ClassDef):
                continue
            builds = path.parent.name in ("zoo", "encoders") and node.name[0] != "_"
            builds = builds or f"{name(path)}: {node.name}" in OF_OPTIONS
            given = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            number = len([x for x in given if x.arg not in ("self", "cls")])
            if number > MOST_PARAMETERS and not builds:
                found.append(f"{name(path)}: {node.name} takes {number}")
    assert not found


def test_docstrings_begin_with_a_noun_or_a_verb():
    found = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in [tree, *functions(path)]:
            if (ast.get_docstring(node) or "").split(" ")[0] in ("What", "How"):
                found.append(f"{name(path)}: {getattr(node, 'name', 'module')}")
    assert not found


def test_files_stay_short():
    lengths = {name(path): len(path.read_text().splitlines()) for path in FILES}
    assert not {path: n for path, n in lengths.items() if n > MOST_LINES}


def test_functions_stay_short():
    found = []
    for path in FILES:
        for node in functions(path):
            if not isinstance(node, ast.ClassDef):
                text = ast.get_docstring(node, clean=False)
                length = node.end_lineno - node.lineno + 1
                length -= len(text.splitlines()) if text else 0
                if length > MOST_LINES_OF_A_FUNCTION:
                    found.append(f"{name(path)}: {node.name} has {length} lines")
    assert not found


def has_own_tests(path):
    return (TESTS / path.parent / f"test_{path.stem.strip('_')}.py").is_file()


def test_every_module_has_tests_of_its_own():
    missing = []
    for path in (x.relative_to(ROOT) for x in FILES):
        # Files that begin with _ are parts of their package, __init__ its list.
        if path.name.startswith("_") or has_own_tests(path):
            continue
        place = path.with_suffix("").as_posix()
        if path.parts[0] not in CONTRACTS and place not in WITH_ANOTHER:
            missing.append(f"tests/{path.parent}/test_{path.name}")
    assert not missing
    assert all((TESTS / file).is_file() for file in CONTRACTS.values())


def test_modules_without_tests_of_their_own_are_those_that_are_listed():
    for place, file in WITH_ANOTHER.items():
        assert (TESTS / f"{file}.py").is_file(), file
        path = pathlib.Path(f"{place}.py")
        assert (ROOT / path).is_file(), f"{place} is gone"
        assert not has_own_tests(path), f"{place} has tests of its own"
