"""The OpenAPI description is valid, and what really comes back is what it says."""

from __future__ import annotations

from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.client import Client, Response, colour, text64

GREEN = colour(20, 250, 20)


@pytest.fixture(scope="module")
def the_description(an_api: Client) -> dict[str, Any]:
    description: Any = an_api.http.get("api/openapi.json").json()
    return description


def test_it_is_valid(the_description: dict[str, Any], a_guarded_api: Client) -> None:
    guarded = a_guarded_api.http.get("api/openapi.json").json()
    for description in (the_description, guarded):
        OpenAPIV31SpecValidator(cast(Any, description)).validate()
    assert "security" not in the_description["paths"]["/api/predict"]["post"]
    assert guarded["paths"]["/api/predict"]["post"]["security"] == [{"token": []}]


def test_answers_are_as_described(an_api: Client, the_description: dict[str, Any]) -> None:
    responses = {
        200: [
            an_api.send(GREEN),
            an_api.send(GREEN, b"no picture"),
            an_api.send(GREEN, model="tints"),
            an_api.send_json({"pictures": [text64(GREEN)]}),
        ],
        400: [an_api.send_json([1]), an_api.http.post("api/predict", files={"other": b"x"})],
        403: [an_api.send_plain(GREEN, Origin="https://stranger.example")],
        404: [an_api.send(GREEN, model="unknown")],
        413: [an_api.send(*[b"x"] * 33)],
        415: [an_api.send_plain(GREEN, "text/plain")],
        422: [an_api.send(b"no picture")],
        503: [an_api.send(GREEN, model="worn")],
    }
    for status, received in responses.items():
        for response in received:
            assert response.status_code == status, response.text
            _assert_conforms(response, the_description, "/api/predict", "post")


def test_bounds_are_as_described(a_narrow_api: Client, the_description: dict[str, Any]) -> None:
    large = a_narrow_api.send(bytes(17 * 2**20))
    assert large.status_code == 413
    _assert_conforms(large, the_description, "/api/predict", "post")


@pytest.mark.parametrize("path", ["/api/models", "/healthz", "/api/openapi.json"])
def test_what_is_got_is_as_described(
    an_api: Client, the_description: dict[str, Any], path: str
) -> None:
    _assert_conforms(an_api.http.get(path), the_description, path, "get")


def test_the_token_is_described(a_guarded_api: Client) -> None:
    description = a_guarded_api.http.get("api/openapi.json").json()
    _assert_conforms(a_guarded_api.http.get("api/models"), description, "/api/models", "get")
    _assert_conforms(a_guarded_api.send(GREEN), description, "/api/predict", "post")


def _assert_conforms(
    response: Response, description: dict[str, Any], path: str, method: str
) -> None:
    described = description["paths"][path][method]["responses"][str(response.status_code)]
    kind = response.headers["Content-Type"].split(";")[0]
    schema = described["content"][kind]["schema"]
    Draft202012Validator({**schema, "components": description["components"]}).validate(
        response.json()
    )
