"""A rendered page gets the visitor's kernel, and the handler's head in place of its title."""

from __future__ import annotations

from voila_snapshot.pages import Page

HTML = "<head>MARK<title>t</title>MARK<b>KERNEL</b></head><i>KERNEL</i>"


def test_without_a_head_the_title_stays() -> None:
    page = Page(HTML, "KERNEL", "MARK", "python3")
    assert page.html("k") == "<head><title>t</title><b>k</b></head><i>k</i>"


def test_a_head_replaces_the_title_and_is_left_as_it_is() -> None:
    page = Page(HTML, "KERNEL", "MARK", "python3")
    assert page.html("k", "<title>KERNEL MARK \\1</title>") == (
        "<head><title>KERNEL MARK \\1</title><b>k</b></head><i>k</i>"
    )


def test_another_template_keeps_its_head() -> None:
    page = Page("<title>t</title><i>KERNEL</i>", "KERNEL", "MARK", "python3")
    assert page.html("k", "<title>mine</title>") == "<title>t</title><i>k</i>"
