"""ICC profiles, written here: of a phone, a camera, a scanner for grey, and a press."""

from __future__ import annotations

import struct

import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])
# Of the primaries red, green and blue: X, Y, Z as seen under D50.
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def display_p3() -> bytes:
    """As phones write it: version 4, its curve as a formula."""
    return matrix(P3, formula(), version=4)


def adobe_rgb() -> bytes:
    """As cameras write it: version 2, its curve as a power."""
    return matrix(ADOBE, power(2.19921875))


def srgb(version: int = 2) -> bytes:
    """One of the many that say sRGB in their own way."""
    curve = formula() if version == 4 else table(_linear(np.linspace(0, 1, 1024)))
    return matrix(SRGB, curve, version=version)


def grey(gamma: float = 1.0) -> bytes:
    return written(b"GRAY", b"XYZ ", [(b"wtpt", _xyz(D50)), (b"kTRC", power(gamma))])


def press(side: int = 5) -> bytes:
    """Four inks on paper, none of them what its numbers would say on a screen."""
    steps = np.linspace(0, 1, side)
    inks = np.stack(np.meshgrid(*[steps] * 4, indexing="ij"), -1).reshape(-1, 4)
    passed = np.array([[0.05, 0.40, 0.75], [0.65, 0.05, 0.20], [0.95, 0.85, 0.08], [0.03] * 3])
    light = np.prod(passed[None] ** inks[:, :, None], axis=1)  # (N, 3) of red, green and blue
    lab = _lab(light @ np.array(SRGB))
    scaled = np.column_stack([lab[:, 0] * 652.8, (lab[:, 1:] + 128) * 256])
    return written(b"CMYK", b"Lab ", [(b"A2B0", lookup(4, side, scaled))], kind=b"prtr")


def matrix(
    primaries: tuple[tuple[float, ...], ...], curve: bytes, version: int = 2, more: bytes = b""
) -> bytes:
    colours = zip((b"r", b"g", b"b"), primaries, strict=True)
    tags = [(name + b"XYZ", _xyz(np.array(value))) for name, value in colours]
    tags += [(name + b"TRC", curve) for name in (b"r", b"g", b"b")]
    return written(b"RGB ", b"XYZ ", [(b"wtpt", _xyz(D50)), *tags], version, more=more)


def power(gamma: float) -> bytes:
    return b"curv" + struct.pack(">IIH", 0, 1, round(256 * gamma))


def table(values: np.ndarray) -> bytes:
    rows = (65535 * values).round().astype(">u2").tobytes()
    return b"curv" + struct.pack(">II", 0, len(values)) + rows


def formula() -> bytes:
    """sRGB's curve, as version 4 writes it."""
    numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para" + struct.pack(">IHH5i", 0, 3, 0, *(round(65536 * n) for n in numbers))


def lookup(inputs: int, side: int, values: np.ndarray) -> bytes:
    """A table of 16-bit Lab (side ** inputs, 3)."""
    identity = [65536, 0, 0, 0, 65536, 0, 0, 0, 65536]
    line = struct.pack(">HH", 0, 65535)
    header = b"mft2" + bytes(4) + bytes((inputs, 3, side, 0)) + struct.pack(">9i", *identity)
    rows = np.clip(values, 0, 65535).round().astype(">u2").tobytes()
    return header + struct.pack(">HH", 2, 2) + line * inputs + rows + line * 3


def written(
    space: bytes,
    connection: bytes,
    tags: list[tuple[bytes, bytes]],
    version: int = 2,
    kind: bytes = b"mntr",
    more: bytes = b"",  # after everything that a tag points to
) -> bytes:
    rows, body, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags:
        rows += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = start + len(body) + len(more)
    header = struct.pack(">I4xI4s4s4s", size, version << 24, kind, space, connection)
    header = header.ljust(36, b"\0") + b"acsp"
    header = header.ljust(68, b"\0") + struct.pack(">3i", *(round(65536 * n) for n in D50))
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + rows + body + more


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ " + struct.pack(">I3i", 0, *(round(65536 * float(n)) for n in values))


def _linear(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _lab(xyz: np.ndarray) -> np.ndarray:
    x, y, z = np.cbrt(np.maximum(xyz, 0) / D50).T
    return np.column_stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])
