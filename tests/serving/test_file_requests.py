"""Which answer a request with a picture's file gets."""

import types

import pytest

pytest.importorskip("starlette")
from starlette.exceptions import HTTPException
from starlette.requests import Request

from kerasseg.serving import file_requests


def begin(query="", model=None, **headers):
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "query_string": query.encode(), "headers": pairs}
    return file_requests.begin(Request(scope), model)


def test_the_query_goes_before_the_header():
    assert begin() == "json"
    assert begin(accept="text/html, image/png") == "mask"
    assert begin("answer=overlay", accept="image/png") == "overlay"
    assert begin(accept="image/png;q=0, application/json") == "json"
    assert begin(accept="application/json, image/png; q=0.5") == "json"
    assert begin(accept="application/json;q=0.1, Image/PNG;q=0.5") == "mask"
    assert begin(accept="image/png;q=x,,;") == "json"
    with pytest.raises(HTTPException, match="json, mask, overlay, cutout"):
        begin("answer=gif")
    with pytest.raises(HTTPException, match="Received: answr="):
        begin("answr=mask")


def test_a_cut_out_is_refused_where_there_is_none():
    model = types.SimpleNamespace(no_cut_out=None)
    assert begin("answer=cutout", model) == "cutout"
    model.no_cut_out = "no background"
    with pytest.raises(HTTPException, match="no background"):
        begin("answer=cutout", model)


def test_forms_are_no_files():
    for kind in ("multipart/form-data; boundary=x", "Application/JSON"):
        with pytest.raises(HTTPException, match="--data-binary"):
            begin(**{"content-type": kind})
    with pytest.raises(HTTPException, match="not empty"):
        file_requests.unpack(b"", "json")
