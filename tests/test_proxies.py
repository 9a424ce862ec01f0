"""Which proxy an address is asked through, by the variables that the field has agreed on."""

from __future__ import annotations

import pytest

from kezako.errors import KezakoError
from kezako.proxies import Proxies

HTTP, HTTPS = "http://pictures.example/1.jpg", "https://pictures.example/1.jpg"


def _towards(address: str, **environment: str) -> str | None:
    return Proxies.from_environment(environment).towards(address)


def test_nothing_set_is_no_proxy() -> None:
    assert _towards(HTTPS) is None
    assert not Proxies.from_environment({})


def test_each_scheme_has_its_own_and_all_stands_in() -> None:
    both = {"HTTP_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:2"}
    assert (_towards(HTTP, **both), _towards(HTTPS, **both)) == ("http://a:1", "http://b:2")
    assert _towards(HTTPS, HTTP_PROXY="http://a:1") is None
    assert _towards(HTTPS, ALL_PROXY="http://c:3") == "http://c:3"
    assert _towards(HTTP, ALL_PROXY="http://c:3", **both) == "http://a:1"


def test_lower_case_wins_even_where_it_is_empty() -> None:
    assert _towards(HTTPS, HTTPS_PROXY="http://a:1", https_proxy="http://b:2") == "http://b:2"
    assert _towards(HTTPS, HTTPS_PROXY="http://a:1", https_proxy="") is None


def test_a_host_and_a_port_are_an_address() -> None:
    assert _towards(HTTPS, https_proxy="proxy.uni.example:3128") == "http://proxy.uni.example:3128"
    assert _towards(HTTPS, KEZAKO_PROXY="localhost:3128") == "http://localhost:3128"


def test_kezakos_own_setting_takes_every_request() -> None:
    own = {"KEZAKO_PROXY": "http://own:1", "HTTPS_PROXY": "http://b:2", "NO_PROXY": "*"}
    assert _towards(HTTPS, **own) == _towards(HTTP, **own) == "http://own:1"


@pytest.mark.parametrize(
    ("no_proxy", "address", "goes_past"),
    [
        ("*", HTTPS, True),
        ("other.example", HTTPS, False),
        ("pictures.example", HTTPS, True),
        ("PICTURES.example", HTTPS, True),
        (".pictures.example", HTTPS, True),
        ("*.example", HTTPS, True),
        ("example", HTTPS, True),
        ("res.example", HTTPS, False),
        ("a.test, pictures.example", HTTPS, True),
        ("a.test pictures.example", HTTPS, True),
        ("pictures.example:443", HTTPS, True),
        ("pictures.example:80", HTTPS, False),
        ("pictures.example:80", HTTP, True),
        ("pictures.example", "https://pictures.example.:443/x", True),
        ("10.0.0.0/8", "http://10.1.2.3/x", True),
        ("10.0.0.0/8", "http://11.1.2.3/x", False),
        ("10.1.2.3", "http://10.1.2.3:8080/x", True),
        ("10.0.0.0/8", "http://[2606:4700::1]/x", False),
        ("2606:4700::/32", "http://[2606:4700::1]/x", True),
        ("[2606:4700::1]", "http://[2606:4700::1]/x", True),
        (" , ,", HTTPS, False),
        (".", HTTPS, False),
    ],
)
def test_what_goes_past_it(no_proxy: str, address: str, goes_past: bool) -> None:
    found = _towards(address, ALL_PROXY="http://a:1", NO_PROXY=no_proxy)
    assert (found is None) == goes_past


def test_the_environment_of_this_process_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://a:1")
    monkeypatch.setenv("no_proxy", "a.test")
    assert Proxies.from_environment() == Proxies(
        by_scheme={"https": "http://a:1"}, past=("a.test",)
    )


@pytest.mark.parametrize("variable", ["KEZAKO_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("value", ["ftp://a:1", "http://", "http://[::1", "http://a:99999", "://"])
def test_a_bad_one_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(KezakoError, match=variable):
        Proxies.from_environment({variable: value})


def test_no_password_is_shown() -> None:
    with pytest.raises(KezakoError) as refused:
        Proxies.from_environment({"HTTPS_PROXY": "ftp://me:secret@a:1"})
    assert "secret" not in str(refused.value)
