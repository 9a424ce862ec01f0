"""The token, and scripts of other web sites."""

from __future__ import annotations

import pytest

from tests.api.client import Client, assert_error, colour
from tests.api.conftest import FRIEND, TOKEN
from tests.servers import until

RED = colour(250, 20, 20)
STRANGER = "https://stranger.example"


@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}",
     TOKEN, "Bearer \xff\xfe", "Bearer " + "x" * 5000],
)  # fmt: skip
def test_without_the_token(a_guarded_api: Client, given: str | None) -> None:
    headers = {} if given is None else {b"Authorization": given.encode("latin-1")}
    for response in (
        a_guarded_api.send(RED, headers=headers),
        a_guarded_api.http.get("api/models", headers=headers),
        a_guarded_api.http.get("metrics", headers=headers),
    ):
        assert_error(response, 401, "token")
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")
        assert TOKEN not in response.text


def test_with_the_token(a_guarded_api: Client) -> None:
    headers = {"Authorization": f"bearer {TOKEN}"}
    assert a_guarded_api.send(RED, headers=headers).json()["label"] == "red"
    assert a_guarded_api.http.get("api/models", headers=headers).status_code == 200
    assert b"kezako_predictions" in a_guarded_api.http.get("metrics", headers=headers).content


def test_health_and_description_ask_for_none(a_guarded_api: Client) -> None:
    until(lambda: a_guarded_api.http.get("healthz").status_code == 200)
    assert a_guarded_api.http.get("api/openapi.json").status_code == 200


def test_a_script_of_another_site_may_not_post(an_api: Client, a_guarded_api: Client) -> None:
    assert_error(an_api.send(RED, headers={"Origin": STRANGER}), 403, "other web sites")
    assert_error(an_api.send(RED, headers={"Origin": "null"}), 403)
    headers = {"Origin": STRANGER, "Authorization": f"Bearer {TOKEN}"}
    assert_error(a_guarded_api.send(RED, headers=headers), 403)


def test_nothing_is_shown_to_other_sites(an_api: Client) -> None:
    response = an_api.http.get("api/models", headers={"Origin": STRANGER})
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("same", [{}, {"Sec-Fetch-Site": "same-origin"}])
def test_the_own_site_may(an_api: Client, same: dict[str, str]) -> None:
    origin = STRANGER if same else an_api.address.rstrip("/")  # a proxy may have renamed the host
    assert an_api.send(RED, headers={"Origin": origin, **same}).status_code == 200


def test_a_site_that_is_named_may(a_guarded_api: Client) -> None:
    headers = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}
    asked = a_guarded_api.http.options("api/predict", headers=headers)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    headers = {"Origin": FRIEND, "Authorization": f"Bearer {TOKEN}"}
    response = a_guarded_api.send(RED, headers=headers)
    assert response.json()["label"] == "red"
    assert response.headers["Access-Control-Allow-Origin"] == FRIEND


def test_asking_first_shows_strangers_nothing(a_guarded_api: Client) -> None:
    asked = a_guarded_api.http.options("api/predict", headers={"Origin": STRANGER})
    assert not [name for name in asked.headers if name.startswith("access-control")]
