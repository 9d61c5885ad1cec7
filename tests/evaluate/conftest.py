"""A model whose answers can be worked out."""

import pytest

from tests.predict.models import color_model


@pytest.fixture(scope="module")
def model():
    return color_model()
