"""Facts that builders state: their task, their losses, the rules of published files."""

import keras
import pytest

from kerasseg import encoders, tasks, zoo


def test_every_architecture_belongs_to_one_task():
    by_task = {task: zoo.names(task) for task in tasks.TASKS}
    assert sorted(name for names in by_task.values() for name in names) == zoo.names()
    assert "deeplab_v3_plus" in by_task["semantic"]
    assert by_task["stars"] == ["stardist"]
    assert by_task["panoptic"] == ["panoptic_deeplab"]


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="Received: task='bottom_up'"):
        zoo.names("bottom_up")


def test_a_model_says_its_task_itself():
    assert zoo.unet(2, base_filters=2).task == "semantic"
    assert zoo.stardist(8, base_filters=2, head_filters=2).task == "stars"


def test_all_but_semantic_models_bring_their_losses():
    for builder in zoo.BUILDERS.values():
        assert callable(builder.losses) == (builder.task != "semantic")


def test_a_decorated_builder_keeps_its_name_signature_and_text():
    assert zoo.unet.__name__ == "unet"
    assert zoo.unet.__doc__.startswith("U-Net")
    with pytest.raises(TypeError, match="filters_of_base"):
        zoo.unet(filters_of_base=3)


def test_a_builder_hands_its_encoder_s_rules_to_the_loader():
    model = zoo.segformer(3, "mit_b0", decoder_filters=4)
    assert encoders.rules_of(model) == encoders.mit_b0.traits.rules
    image = keras.Input((8, 8, 3))
    assert encoders.rules_of(keras.Model(image, image)) == ()
