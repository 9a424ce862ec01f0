"""What most tests need: photos, and a workspace of their own."""

from __future__ import annotations

import gc
import os
import shutil
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kezako.gather import adopt, check_pool
from kezako.gather.sample import CLASSES, draw_face, draw_sample
from kezako.model.bundle import MODEL, Card, Preprocessing, new_bundle, write_card
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.browser import a_browser, a_desk, a_phone  # noqa: F401  fixtures for all tests
from tests.once import made_once

# Several tests run beside one another: threads of theirs that wait by spinning would starve them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Nothing here is asked through the proxies of whoever runs the tests.
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]

# A gathering starts a process a core, which takes longer than most tests' few pictures.
check_pool.PROCESSES = 1

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos"))
SIZE = 32  # pixels a side: enough for the mean colour


NOT_FAST = ("browser", "slow", "hosts")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="no torch, Ray, browser or server")


def pytest_collection() -> None:
    """What is imported now stays until the end: nothing in it has to be looked through again.

    With torch and Ray there are millions of objects, and each full look takes a second.
    """
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--fast`, files are left out before they import anything."""
    if not config.getoption("fast") or collection_path == ROOT / "tests":
        return None
    from tests.fast import is_heavy  # here, since it parses all modules

    # A folder's fixtures are imported even where none of its files is.
    file = collection_path / "conftest.py" if collection_path.is_dir() else collection_path
    return True if file.suffix == ".py" and is_heavy(file) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with a browser test come last, whole, so that what they set up is set up once.

    Of both halves those with most slow tests come first: with `--dist loadfile
    --no-loadscope-reorder` the short ones then fill what is left of each process's time.

    Playwright's event loop runs in the main thread from the first of them to the session's end,
    and no other loop can be started beside it.
    """
    if config.getoption("fast"):
        left_out = [item for item in items if any(map(item.get_closest_marker, NOT_FAST))]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    late = {item.path for item in items if item.get_closest_marker("browser")}
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    beside = Counter(item.path.parent for item in items if item.path in late)
    items.sort(
        key=lambda item: (
            item.path in late,
            -beside[item.path.parent] if item.path in late else 0,
            -slow[item.path],
        )
    )


# Their browser tests share servers: one process runs those of a folder.
SHARED_IN_A_BROWSER = ("tests/page", "tests/frontend")
# All their tests share servers, which each process would start anew.
SHARED_SERVERS = ("tests/api", "tests/attack")
# Their tests share one Ray, which takes a core for half a minute to start.
WITH_RAY = {"tests/scale/test_batch.py", "tests/scale/test_bucket.py"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With `--dist loadfile`, files that share a Ray or servers are run by one process."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Sharing(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _shared(super()._split_scope(nodeid))

    return Sharing(config, log)


@cache
def _shared(file: str) -> str:
    if file in WITH_RAY:
        return "tests with Ray"
    folder = file.rpartition("/")[0]
    if folder in SHARED_SERVERS:
        return folder
    if folder in SHARED_IN_A_BROWSER and "pytest.mark.browser" in (ROOT / file).read_text("utf-8"):
        return f"{folder} in a browser"
    return file


@pytest.fixture(autouse=True)
def _tests_are_marked(request: pytest.FixtureRequest) -> None:
    """A test that asks for a browser without the mark would run too early, and so on."""
    marked = request.node.get_closest_marker("browser") is not None
    assert marked or "a_browser" not in request.fixturenames
    named = request.node.nodeid.partition("::")[0] in WITH_RAY
    assert named or "a_ray" not in request.fixturenames, "name its file in WITH_RAY"


@pytest.fixture(scope="session")
def the_repository() -> Path:
    """The folder of pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def some_photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Class -> its photos, at least 20 each: bears where those exist, else drawn faces."""
    bears = PHOTOS / "bears"
    if bears.is_dir():
        return {folder.name: sorted(folder.glob("*.jpg")) for folder in sorted(bears.iterdir())}
    drawn = tmp_path_factory.mktemp("drawn")
    photos: dict[str, list[Path]] = {}
    for mood in CLASSES:
        photos[mood] = [drawn / f"{mood}-{number}.jpg" for number in range(20)]
        for number, path in enumerate(photos[mood]):
            draw_face(mood, number).save(path)
    return photos


@pytest.fixture
def an_empty_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace that the command line finds as well."""
    monkeypatch.setenv("KEZAKO_HOME", str(tmp_path))
    return Workspace(tmp_path.resolve())


@pytest.fixture(scope="session")
def gathered_faces(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Workspace, int], Recipe]:
    """Puts so many drawn faces of each mood into a workspace, gathered; drawn once a run."""

    def put(workspace: Workspace, pictures: int) -> Recipe:
        def gather(folder: Path) -> None:
            made = Workspace(folder)
            adopt(draw_sample(made, pictures=pictures), made)

        made = made_once(tmp_path_factory, f"faces-{pictures}", gather)
        shutil.copytree(made, workspace.root, dirs_exist_ok=True)
        return workspace.recipe("smileys")

    return put


@pytest.fixture(scope="session")
def a_bundle() -> Callable[..., Path]:
    """Writes a classifier of a picture's mean colour: `labels` stand for red, green and blue."""

    def write(models: Path, name: str, labels: tuple[str, ...], **card: Any) -> Path:
        values: dict[str, Any] = {
            "title": f"Which of {name}?",
            "prompt": "Choose a photo.",
            "answer": "This is {label}.",
            "task": "single",
            **card,
        }
        sealed = Card(
            name=name, labels=labels, preprocessing=Preprocessing(SIZE, "squish"),
            precision="fp32", temperature=1.0, thresholds={}, known=None, **values,
        )  # fmt: skip
        with new_bundle(models / name) as folder:
            (folder / MODEL).write_bytes(_mean_colour(len(labels)))
            write_card(folder, sealed)
        return models / name

    return write


def _mean_colour(classes: int) -> bytes:
    import onnx  # here: most tests need no bundle
    from onnx import TensorProto, helper

    weights = [8.0 if row == column else 0.0 for row in range(3) for column in range(classes)]
    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["pictures"], ["pooled"]),
         helper.make_node("Flatten", ["pooled"], ["features"]),
         helper.make_node("MatMul", ["features", "weights"], ["logits"])],
        "mean-colour",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", classes]),
         helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor("weights", TensorProto.FLOAT, [3, classes], weights)],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8  # what every ONNX Runtime of the last years reads
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
