"""Names of architectures by task."""

import pytest

from kerasseg import zoo


def test_every_architecture_belongs_to_one_task():
    semantic, instance = zoo.names("semantic"), zoo.names("instance")
    assert sorted([*semantic, *instance]) == zoo.names()
    assert "deeplab_v3_plus" in semantic


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="Received: task='panoptic'"):
        zoo.names("panoptic")
