"""Names of architectures by task."""

import pytest

from kerasseg import zoo


def test_every_architecture_belongs_to_one_task():
    tasks = ("semantic", "instance", "bottom_up")
    by_task = {task: zoo.names(task) for task in tasks}
    assert sorted(name for names in by_task.values() for name in names) == zoo.names()
    assert "deeplab_v3_plus" in by_task["semantic"]
    assert by_task["bottom_up"] == ["panoptic_deeplab", "stardist"]


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="Received: task='panoptic'"):
        zoo.names("panoptic")
