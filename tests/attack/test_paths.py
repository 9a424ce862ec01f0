"""No path leads out of the template's own files, and no answer tells where anything lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attack.raw import get, send, status

STATIC = "/voila/templates/kezako/static/"
UP = (
    "../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "%252e%252e%252f", "..\\", "..%5c",
    "....//", "..;/", "%c0%ae%c0%ae/", "%uff0e%uff0e/", ".%00./", "..%00/",
)  # fmt: skip
WANTED = ("etc/passwd", "index.html.j2", "conf.json", "proc/self/environ")
ELSEWHERE = (
    "/voila/files/app.ipynb", "/voila/files/../app.ipynb", "/voila/static/voila.js",
    "/voila/templates/lab/static/voila.js", "/voila/templates/../../etc/passwd", "/voila/tree",
    "/voila/tree/..", "/voila/render/app.ipynb", "/voila/render/../../etc/passwd",
    "/voila/api/contents", "/voila/api/contents/..", "/voila/api/themes/x", "/voila/labextensions",
    "/voila/query/x", "/voila/execution/x", "/api", "/api/kernels", "/api/kernelspecs",
    "/api/sessions", "/api/contents", "/api/contents/app.ipynb", "/api/terminals", "/api/status",
    "/api/me", "/api/config/notebook", "/files/app.ipynb", "/notebooks/app.ipynb", "/tree", "/lab",
    "/login", "/logout", "/static/x", "/nbextensions/../x", "/kernelspecs/python3/logo.png",
    "/app.ipynb", "/notebooks", "/models/colours/card.json", "/models/colours/export.pkl",
    "/.git/config", "/.env", "/favicon.ico", "//etc/passwd", "/%2e%2e/etc/passwd",
    "http://localhost/etc/passwd", "/?/../../etc/passwd/..", "*", "/\\..\\..\\etc\\passwd",
)  # fmt: skip
TELLING = (b"site-packages", b"Traceback", b".py", b"root:", b"kezako_home", b"PATH=")


def is_silent(answer: bytes, home: Path) -> bool:
    return not any(word in answer for word in (*TELLING, str(home).encode()))


def is_plain(answer: bytes, home: Path) -> bool:
    """Refused, and without a word of where anything lies."""
    return status(answer) in (0, 400, 403, 404, 405) and is_silent(answer, home)


def test_the_static_files_are_there(the_target: str) -> None:
    page = send(the_target, get("/")).decode()
    script = page.partition(f'src="{STATIC}')[2].partition('"')[0]
    assert status(send(the_target, get(STATIC + script))) == 200


@pytest.mark.parametrize("up", UP)
def test_no_way_out_of_the_static_files(the_target: str, a_besieged_home: Path, up: str) -> None:
    for depth in (1, 2, 8):
        for wanted in WANTED:
            assert is_plain(send(the_target, get(STATIC + up * depth + wanted)), a_besieged_home)


@pytest.mark.parametrize(
    "path", [STATIC, STATIC + "/etc/passwd", STATIC + "%00", STATIC + "a" * 9000]
)
def test_odd_names_of_static_files(the_target: str, a_besieged_home: Path, path: str) -> None:
    assert is_plain(send(the_target, get(path)), a_besieged_home)


@pytest.mark.parametrize("path", [p for p in ELSEWHERE if not p.startswith("/?")])
def test_there_is_nothing_else(the_target: str, a_besieged_home: Path, path: str) -> None:
    assert is_plain(send(the_target, get(path)), a_besieged_home)


@pytest.mark.parametrize(
    "query", ["template=lab", "template=../../../etc", "theme=../x", "voila=1"]
)
def test_the_address_chooses_no_template(the_target: str, query: str) -> None:
    answer = send(the_target, get(f"/?{query}"))
    assert status(answer) == 200
    assert STATIC.encode() in answer
    assert b"/voila/static" not in answer


@pytest.mark.parametrize("name", ["../bears", "%2e%2e", "/etc/passwd", "a" * 5000, "💥"])
def test_the_address_chooses_no_other_folder(
    the_target: str, a_besieged_home: Path, name: str
) -> None:
    query = name.encode().decode("latin-1")
    answer = send(the_target, get(f"/?model={query}"))
    assert status(answer) in (400, 404)
    assert is_silent(answer, a_besieged_home)


def test_a_nul_behind_a_name_is_no_part_of_it(the_target: str, a_besieged_home: Path) -> None:
    named, followed = (send(the_target, get(f"/?model=colours{end}")) for end in ("", "%00"))
    assert status(named) == status(followed) == 200  # Tornado strips control characters
    assert is_silent(followed, a_besieged_home)
