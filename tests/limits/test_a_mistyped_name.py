"""An address that names a classifier which is not here gets a sentence, and takes no place."""

from __future__ import annotations

from tests.limits.conftest import Host
from tests.limits.guest import Guest, ask


def test_a_mistyped_name_is_told_and_leads_to_the_page(a_host: Host) -> None:
    with a_host("--visitors", "1") as address:
        page = ask(address, "?model=%3Cb%3Ecolors%3C/b%3E")
        assert page.status == 404
        assert "There is no classifier &#x27;&lt;b&gt;colors&lt;/b&gt;&#x27; here." in page.text
        assert '<a href="/">Open the page</a>' in page.text
        Guest(address).arrives("?model=colours")
