"""Sites that may frame the page are named by the maker; nobody else may."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders

from kezako.serve.limits import Limits
from kezako.serve.security import headers

SPACES = "'self' https://huggingface.co"


def sent(limits: Limits) -> HTTPHeaders:
    transform = headers(limits)(None)  # type: ignore[arg-type]
    return transform.transform_first_chunk(200, HTTPHeaders({"Server": "x"}), b"", True)[1]


def test_named_sites_may_frame_it() -> None:
    given = sent(Limits(frame_ancestors=SPACES))
    assert f"frame-ancestors {SPACES}" in given["Content-Security-Policy"]
    assert "X-Frame-Options" not in given, "it knows one site at most, and would forbid the others"
    assert "Server" not in given


def test_nobody_else_may() -> None:
    given = sent(Limits())
    assert "frame-ancestors 'self'" in given["Content-Security-Policy"]
    assert given["X-Frame-Options"] == "SAMEORIGIN"
