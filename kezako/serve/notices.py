"""Pages that show one sentence: errors, the waiting page, and what link previews read."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from kezako.words import Words

_NOTICE = Template(Path(__file__).with_name("notice.html").read_text(encoding="utf-8"))
# It is part of the waiting page: a file of its own could be blocked, and the wait never end.
_SCRIPT = Path(__file__).with_name("waiting.js").read_text(encoding="utf-8")
WAITING = f"'sha256-{b64encode(sha256(_SCRIPT.encode()).digest()).decode()}'"  # as in a CSP
_DOTS = '<p aria-hidden="true"><i></i><i></i><i></i></p>'


def notice(
    text: str,
    *,
    say: Words,  # the language of `text`
    title: str = "Kezako?",
    heading: str = "",  # between title and text
    again: float | None = None,  # seconds after which the page looks again; its script is `WAITING`
    where: str = "",  # the URL to load then
    home: str = "",  # URL of a link to the page
    head: str = "",  # HTML with a title, for a page that may be found; else search engines skip it
    names: Sequence[str] = (),  # of the classes
) -> str:
    """HTML of a page that shows one sentence, and works without a script."""
    content = [f"<p>{escape(text)}</p>"]
    data = script = ""
    if heading:
        content.insert(0, f"<h2>{escape(heading)}</h2>")
    if names:
        content.append(f"<ul>{''.join(f'<li>{escape(name)}</li>' for name in names)}</ul>")
    content = ['<div role="status">', *content, "</div>"]
    head = head or f'<meta name="robots" content="noindex">\n<title>{escape(title)}</title>'
    if again is not None:
        refresh = f'<meta http-equiv="refresh" content="{again:g}; url={escape(where)}">'
        head += f"\n<noscript>{refresh}</noscript>"
        data, script = f' data-again="{again:g}" data-where="{escape(where)}"', _SCRIPT
        away = f'<p id="away" class="soft" hidden>{escape(say("server_away"))}</p>'
        content += [f'<div role="status">{away}</div>', _DOTS]
    if home:
        content.append(f'<a href="{escape(home)}">{escape(say("open_page"))}</a>')
    return _NOTICE.substitute(
        language=say.code,
        data=data,
        head=head,
        title=escape(title),
        content="\n".join(content),
        script=f"<script>{script}</script>" if script else "",
    )
