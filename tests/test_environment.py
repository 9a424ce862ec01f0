"""Every KEZAKO_ variable is known and has bounds; any other is refused with the nearest one."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from kezako import environment
from kezako.api.settings import ApiSettings, switched_on
from kezako.dataset.corrections import enabled
from kezako.environment import check, read
from kezako.errors import KezakoError
from kezako.gather.settings import Settings
from kezako.model.remote import chosen
from kezako.model.runtime import patience
from kezako.serve.limits import Limits
from kezako.settings import PREFIX, SECRET, SETTINGS, Flag, Number

NUMBERS = [name for name, setting in SETTINGS.items() if isinstance(setting.kind, Number)]
FLAGS = [name for name, setting in SETTINGS.items() if isinstance(setting.kind, Flag)]
READERS = (Limits.here, ApiSettings.from_environment, switched_on, Settings.from_environment,
           enabled, patience, chosen)  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("text", ["-1", "nan", "inf", "-inf", "1e400", "soon", "0x10", "٣٣٣٣٣٣٣٣٣"])
def test_no_number_without_bounds(name: str, text: str) -> None:
    with pytest.raises(KezakoError, match=rf"^{PREFIX}{name} is .*; give .* from .* to .*\.$"):
        read(name, {PREFIX + name: text})


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_and_examples_are_values(name: str) -> None:
    kind = SETTINGS[name].kind
    assert isinstance(kind, Number)
    for number in (kind.least, kind.most, kind.such or kind.least):
        text = f"{number:.0f}" if kind.whole else repr(number)
        assert read(name, {PREFIX + name: text}) == number


@pytest.mark.parametrize(
    ("name", "text"),
    [("IDLE", "-1"), ("IDLE", "nan"), ("IDLE", "0"), ("UPLOAD", "0"), ("UPLOAD", "1e9"),
     ("VISITORS", "0"), ("VISITORS", "2.5"), ("MESSAGES_A_SECOND", "0"), ("BUSY", "inf")],
)  # fmt: skip
def test_nonsense_of_a_server_is_refused(name: str, text: str) -> None:
    with pytest.raises(KezakoError, match=rf"{PREFIX}{name} is '{text}'; give"):
        Limits.here({PREFIX + name: text})
    value = float(text) if "." in text or not text.lstrip("-").isdecimal() else int(text)
    with pytest.raises(KezakoError, match=PREFIX + name):
        Limits(**{name.lower(): value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_is_on_or_off(name: str) -> None:
    for text, value in (("1", True), ("ON", True), (" yes ", True), ("0", False), ("False", False)):
        assert read(name, {PREFIX + name: text}) is value
    with pytest.raises(KezakoError, match=f"{PREFIX}{name} is 'perhaps'; write 1 or 0"):
        read(name, {PREFIX + name: "perhaps"})


def test_what_is_empty_is_not_set() -> None:
    empty = dict.fromkeys([PREFIX + name for name in SETTINGS], " ")
    check(empty)
    for reader in READERS:
        assert reader(empty) == reader({})


@pytest.mark.parametrize("name", SECRET)
def test_a_secret_is_not_repeated(name: str) -> None:
    with pytest.raises(KezakoError, match=PREFIX + name) as refused:
        read(name, {PREFIX + name: "swordfish\x07"})
    assert "swordfish" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "hint"),
    [("KEZAKO_IDEL", "Did you mean KEZAKO_IDLE?"),
     ("KEZAKO_CORECTIONS", "Did you mean KEZAKO_CORRECTIONS?"),
     ("KEZAKO_API_WAITTING", "Did you mean KEZAKO_API_WAITING?"),
     ("KEZAKO_idle", "Did you mean KEZAKO_IDLE?"),
     ("KEZAKO_PORT", ""),
     ("KEZAKO_XYZZY", "Remove it.")],
)  # fmt: skip
def test_an_unknown_one_is_refused_with_the_nearest(variable: str, hint: str) -> None:
    with pytest.raises(KezakoError, match=f"^{variable} is no setting of Kezako. ") as refused:
        check({variable: "8866", "PATH": "/bin"})
    assert hint in str(refused.value)


def test_what_kubernetes_says_of_a_service_is_let_be() -> None:
    for service in ("KEZAKO", "KEZAKO_API", "KEZAKO_BEARS_2"):
        check({
            f"{service}_SERVICE_HOST": "10.0.0.7", f"{service}_SERVICE_PORT": "80",
            f"{service}_SERVICE_PORT_HTTP": "80", f"{service}_PORT": "tcp://10.0.0.7:80",
            f"{service}_PORT_80_TCP": "tcp://10.0.0.7:80", f"{service}_PORT_80_TCP_PROTO": "tcp",
            f"{service}_PORT_80_TCP_PORT": "80", f"{service}_PORT_80_TCP_ADDR": "10.0.0.7",
        })  # fmt: skip


@pytest.mark.parametrize("command", [["pictures", "bears"], ["serve", "bears"], ["doctor"]])
def test_every_command_says_it_in_a_sentence(command: list[str], tmp_path: Path) -> None:
    for variable, said in {"KEZAKO_IDEL": "KEZAKO_IDLE", "KEZAKO_IDLE": "give seconds"}.items():
        ran = subprocess.run(
            [sys.executable, "-m", "kezako", *command], capture_output=True, text=True,
            env={"PATH": "", "PYTHONPATH": ":".join(sys.path), "KEZAKO_HOME": str(tmp_path),
                 variable: "-1"},
        )  # fmt: skip
        assert (ran.returncode, ran.stdout) == (2, "")
        assert re.fullmatch(rf"kezako: {variable} is .*{said}.*\n", ran.stderr)


def test_every_setting_is_one_that_somebody_reads(the_repository: Path) -> None:
    """By its name in quotes, or by a field that is called so."""
    settings = {*SETTINGS}
    settings -= {field.name.upper() for field in fields(Limits)}
    settings -= {"API_" + field.name.upper() for field in fields(ApiSettings)}
    text = "".join(path.read_text("utf-8") for path in (the_repository / "kezako").rglob("*.py"))
    read_by_name = set(re.findall(r'(?:read|_setting)\("([A-Z_]+)"', text))
    # Of the tests; of `api.settings.SWITCH`; of `proxies`, beside those that others set.
    assert settings - read_by_name == {"PHOTOS", "API", "PROXY"}
    assert not read_by_name - {*SETTINGS}


def test_every_name_in_the_repository_is_known(the_repository: Path) -> None:
    """And nobody reads one past the bounds."""
    places = ("kezako", "benchmarks", "scripts", "docs", "README.md", "CONTRIBUTING.md",
              "Dockerfile", "examples", "binder", "notebooks", "Makefile", ".ci")  # fmt: skip
    names: set[str] = set()
    for place in places:
        found = [the_repository / place]
        files = [file for path in found for file in (path.rglob("*") if path.is_dir() else found)]
        for file in files:
            if file.is_file() and b"\0" not in (content := file.read_bytes()):
                names |= set(re.findall(r"\bKEZAKO_([A-Z_]*[A-Z])\b", content.decode("utf-8")))
    assert names - {*SETTINGS} <= {"X"}  # in kezako/environment.py, for any
    for path in (the_repository / "kezako").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and "environ" in (call := ast.unparse(node)):
                assert not re.search(r"environ\.get\(['\"]KEZAKO_", call), f"{path}: {call}"


def test_names_of_others_are_not_read() -> None:
    """A notebook that looked at them would get a snapshot for each visitor."""

    class Watched(dict[str, str]):
        def __getitem__(self, name: str) -> str:
            assert name.startswith(PREFIX)
            return super().__getitem__(name)

    environment.check(Watched(QUERY_STRING="a=b", KEZAKO_IDLE="5"))
