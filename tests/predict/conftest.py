"""A model whose answers can be worked out."""

import pytest

from tests.predict.models import conv_model


@pytest.fixture(scope="module")
def model():
    return conv_model()
