"""Serve the template's static files from memory, compressed once, cached by browsers."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from tornado.web import HTTPError

from kezako.serve.security import Sentences

YEAR = 365 * 24 * 3600  # seconds
_HASHED = re.compile(r"-[A-Za-z0-9_]{8,}\.\w+$")


@dataclass(frozen=True)
class Asset:
    content: bytes
    compressed: bytes
    kind: str
    etag: str

    @classmethod
    def read(cls, path: Path) -> Asset:
        content = path.read_bytes()
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if path.suffix in (".js", ".mjs"):
            kind = "text/javascript"  # some systems' tables give another type
        digest = hashlib.sha256(content).hexdigest()[:20]
        return cls(content, gzip.compress(content, 9, mtime=0), kind, f'"{digest}"')


def assets(folder: Path) -> dict[str, Asset]:
    """Every file in `folder` by its relative path; only these can be requested."""
    return {
        path.relative_to(folder).as_posix(): Asset.read(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


class Files(Sentences):
    """Serves `assets`. A file whose name contains a hash of its content is cached for a year."""

    def initialize(self, assets: dict[str, Asset]) -> None:
        self._assets = assets
        self._etag: str | None = None

    def get(self, name: str) -> None:
        asset = self._assets.get(name)
        if asset is None:
            raise HTTPError(404)
        lasting = f"public, max-age={YEAR}, immutable"
        self.set_header("Cache-Control", lasting if _HASHED.search(name) else "no-cache")
        self.set_header("Content-Type", asset.kind)
        self._etag = asset.etag
        small = "gzip" in self.request.headers.get("Accept-Encoding", "")
        if small and len(asset.compressed) < len(asset.content):
            self.set_header("Content-Encoding", "gzip")
            self.write(asset.compressed)
        else:
            self.write(asset.content)

    head = get

    def compute_etag(self) -> str | None:
        return self._etag
