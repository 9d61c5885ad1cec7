"""A saved model, and files like it with other members."""

import zipfile

import pytest

from kerasseg import zoo


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """A U-Net, and the bytes of the members of its file."""
    model = zoo.unet(2, encoder="tiny", decoder_filters=[4] * 5)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return model, {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def write(saved, tmp_path):
    """Writer of a file like the saved one, with other members."""

    def write(changes, compression=zipfile.ZIP_STORED):
        path = tmp_path / "other.keras"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in {**saved[1], **changes}.items():
                archive.writestr(name, content)
        return path

    return write
