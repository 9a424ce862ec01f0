"""Memory of a page in Heroku's smallest dyno, with its hard limit of 512 MB.

    python benchmarks/dyno.py [NAME]      # as root; NAME is a classifier under models/

Serves the folder of `kezako deploy heroku NAME` in a control group and reads its memory, without
files in the page cache. The constants in `kezako/deploy/hosts.py` come from these figures.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402
from benchmarks.serving import light  # noqa: E402
from benchmarks.serving.peers import Server, kezako  # noqa: E402
from benchmarks.serving.pictures import photos  # noqa: E402
from benchmarks.serving.tree import Group, NoLimit, limited  # noqa: E402
from kezako.deploy.hosts import HOSTS, MB  # noqa: E402
from kezako.deploy.run import deploy  # noqa: E402
from kezako.workspace import Workspace  # noqa: E402
from tests.limits.guest import ask  # noqa: E402

DYNO = HOSTS["heroku"].memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="bears")
    record.add_option(parser)
    given = parser.parse_args()
    light.prepare()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "page"
        deploy(HOSTS["heroku"], given.name, home, Workspace.find())
        try:
            with limited(DYNO) as group, kezako(group.prefix, home, given.name) as server:
                figures = asyncio.run(_measure(server, group))
                print(f"{group.killed:6} processes killed by the limit")
                record.keep(given.results, "memory", {**figures, "killed": group.killed})
        except NoLimit as error:
            sys.exit(str(error))


async def _measure(server: Server, group: Group) -> dict[str, float]:
    found: dict[str, float] = {}

    def tell(when: str, name: str) -> None:
        found[name] = (group.used - group.cache) / MB
        print(f"{found[name]:6.0f} MB {when}")

    tell("before the first visitor", "before MB")
    visitor = await light.come("kezako", server.address)
    photo = next(photos())
    await visitor.classifies("photo.jpg", photo)
    tell("with one, who has classified a photo", "visitor MB")
    answer = await asyncio.to_thread(ask, server.address, "api/predict", "POST", photo)
    assert answer.status == 200, answer.text
    tell("with the API, which has classified one as well", "api MB")
    return found


if __name__ == "__main__":
    main()
