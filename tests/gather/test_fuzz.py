"""Thousands of damaged pictures: each gets an answer, in bounded time and memory."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from kezako.gather.check import Checked, Reject
from kezako.gather.check_pool import Checkers
from tests.gather.saved import encoded, picture
from tests.needs import only_where
from tests.standin.trouble import bomb

MUTATED = 2400
MEMORY = 600 * 2**20  # bytes that a checking process may have taken at its most
KINDS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "HEIF", "AVIF")


def _originals() -> list[bytes]:
    small = picture().resize((120, 90))
    several = [small, small.rotate(90), small.rotate(180)]
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        *(encoded(small, kind) for kind in KINDS),
        encoded(small, "JPEG", exif=exif, progressive=True),
        encoded(small.convert("CMYK"), "JPEG"),
        encoded(small.convert("P"), "PNG"),
        encoded(small.convert("L").convert("I;16"), "PNG"),
        encoded(several[0], "GIF", save_all=True, append_images=several[1:]),
        encoded(several[0], "WEBP", save_all=True, append_images=several[1:]),
        encoded(small, "TIFF", compression="tiff_lzw"),
    ]


def _mutated(count: int) -> Iterator[bytes]:
    """Cut short, flipped, spliced, with other heads and sizes; always the same ones."""
    chance, originals = random.Random(1), _originals()
    for _ in range(count):
        data = bytearray(chance.choice(originals))
        match chance.randrange(6):
            case 0:
                del data[chance.randrange(len(data)) :]
            case 1:
                for _ in range(chance.randrange(1, 20)):
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case 2:
                for _ in range(chance.randrange(1, 6)):  # where sizes and counts stand
                    data[chance.randrange(min(64, len(data)))] = chance.choice((0, 127, 255))
            case 3:
                other, cut = chance.choice(originals), chance.randrange(len(data))
                data[cut:] = other[chance.randrange(len(other)) :]
            case 4:
                data[: chance.randrange(1, 16)] = chance.choice(originals)[:16]
            case 5:
                start = chance.randrange(len(data))
                data[start : start + chance.randrange(1, 200)] = chance.randbytes(
                    chance.randrange(300)
                )
        yield bytes(data)


@pytest.fixture(scope="module")
def outcomes() -> tuple[list[Checked | Reject], list[int], list[bool]]:
    """What the check said, the memory its processes took, and whether they lived on."""
    return asyncio.run(_check_all([*_mutated(MUTATED), bomb(), bytes(10), b"P6 99999 99999 255 "]))


async def _check_all(
    pictures: list[bytes],
) -> tuple[list[Checked | Reject], list[int], list[bool]]:
    async with Checkers(processes=2) as checkers:
        before = checkers.pids
        found = await asyncio.gather(*(checkers.check(data) for data in pictures))
        peaks = [_peak(pid) for pid in checkers.pids]
        return list(found), peaks, [pid in checkers.pids for pid in before]


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def test_each_has_an_answer(
    outcomes: tuple[list[Checked | Reject], list[int], list[bool]],
) -> None:
    found = outcomes[0]
    assert len(found) == MUTATED + 3
    whats = Counter(
        each.reason.split(":")[0] if isinstance(each, Reject) else "kept" for each in found
    )
    assert whats["kept"] > 100
    assert whats["unreadable"] > 500
    assert "too slow" not in whats


def test_none_brings_its_process_down(
    outcomes: tuple[list[Checked | Reject], list[int], list[bool]],
) -> None:
    found, _, lived_on = outcomes
    reasons = {each.reason for each in found if isinstance(each, Reject)}
    assert "unreadable: it brought the decoder down" not in reasons
    assert all(lived_on)


@only_where(sys.platform == "linux", "/proc")
def test_memory_stays_bounded(
    outcomes: tuple[list[Checked | Reject], list[int], list[bool]],
) -> None:
    assert 0 < max(outcomes[1]) < MEMORY
