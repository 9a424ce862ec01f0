"""`kezako scale batch` from a bucket to a bucket, over S3's own protocol."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.needs import needs_package

needs_package("pyarrow.fs")
needs_package("ray")
moto = needs_package("moto.server")

import pyarrow.fs as fs

from kezako.scale.batch import classify
from kezako.scale.storage import Storage
from kezako.workspace import Workspace
from tests.edited import edited

pytestmark = pytest.mark.hosts

Draw = Callable[[Path, int], dict[str, str]]
KEY, SECRET = "a-key", "a-secret"  # whatever they are, the stand-in lets them in


@pytest.fixture
def a_bucket() -> Iterator[str]:
    """An address with {} where a folder goes: of an empty bucket on this machine."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line a request hides all else
    server = moto.ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    settings = f"endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    fs.S3FileSystem(
        access_key=KEY, secret_key=SECRET, endpoint_override=f"127.0.0.1:{port}", scheme="http",
        region="us-east-1", allow_bucket_creation=True,
    ).create_dir("a-bucket")  # fmt: skip
    yield f"s3://{KEY}:{SECRET}@a-bucket/{{}}?{settings}"
    server.stop()


def test_from_a_bucket_to_a_bucket(
    a_ray: None,
    a_workspace_of_colours: Workspace,
    a_folder_of_pictures: Draw,
    a_bucket: str,
    tmp_path: Path,
) -> None:
    drawn = a_folder_of_pictures(tmp_path / "pictures", 12)
    source, out = a_bucket.format("some/pictures"), a_bucket.format("answers")
    system, folder = fs.FileSystem.from_uri(source)
    fs.copy_files(str(tmp_path / "pictures"), folder, destination_filesystem=system)

    def run() -> str:
        bundle = a_workspace_of_colours.bundle("colours")
        return str(classify(bundle, source, out, workers=2, part=5))

    assert run() == "12 pictures, 0 of them with a problem."
    rows = _rows(out)
    named = {path.replace(str(tmp_path), "s3://a-bucket/some"): drawn[path] for path in drawn}
    assert {row["path"]: row["label"] for row in rows} == named
    assert len(rows) == 12
    assert SECRET not in str(rows), "an address with a secret is no name of a picture"
    system.delete_file(_tables(out)[0])  # as if it had been killed before this one
    assert "by an earlier run" in run()
    assert {row["path"]: row["label"] for row in _rows(out)} == named


def test_what_is_not_there_is_said_without_the_secret(
    a_workspace_of_colours: Workspace, a_bucket: str
) -> None:
    missing = edited(a_bucket, "a-bucket", "no-bucket").format("pictures")
    with pytest.raises(ValueError, match="s3://no-bucket/pictures") as told:
        classify(a_workspace_of_colours.bundle("colours"), missing, a_bucket.format("answers"))
    assert SECRET not in str(told.value)


def _tables(out: str) -> list[str]:
    place = Storage.of(out)
    found = place.system.get_file_info(fs.FileSelector(place.folder))
    return [entry.path for entry in found if entry.base_name.endswith(".parquet")]


def _rows(out: str) -> list[dict[str, object]]:
    columns = ["path", "label"]
    return [row for table in Storage.of(out).tables(columns) for row in table.to_pylist()]
