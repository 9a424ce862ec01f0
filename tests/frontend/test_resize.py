"""`resize.js` gives the very pixels that Pillow gives."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.frontend.sources import with_sources

pytestmark = pytest.mark.browser

FILTERS = {"BILINEAR": Image.Resampling.BILINEAR, "BICUBIC": Image.Resampling.BICUBIC}
SIZES = [
    ((640, 480), (224, 168)),
    ((1025, 769), (1024, 768)),
    ((1031, 517), (512, 257)),
    ((1203, 901), (224, 224)),  # three bands
    ((90, 60), (90, 60)),
    ((97, 61), (97, 13)),  # one side only
    ((97, 61), (13, 61)),
    ((3000, 2), (1024, 1)),
    ((1, 3000), (1, 1024)),
    ((7, 5), (1, 1)),
    ((3, 2), (50, 41)),  # larger
]
RESIZED = """async ([data, from, to, filter]) => {
    const module = await import("/resize.js");
    const rgb = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const read = (top, rows) => {
        const pixels = new Uint8ClampedArray(4 * from[0] * rows).fill(255);
        const start = from[0] * top;
        for (let i = 0; i < from[0] * rows; i++)
            pixels.set(rgb.subarray(3 * (start + i), 3 * (start + i) + 3), 4 * i);
        return pixels;
    };
    const out = await module.resized(read, from, to, module[filter]);
    let text = "";
    for (let i = 0; i < out.length; i += 8192)
        text += String.fromCharCode(...out.subarray(i, i + 8192));
    return btoa(text);
}"""


@pytest.fixture(scope="module")
def a_source_page(one_desk: Page) -> Page:
    return with_sources(one_desk)


def contents(width: int, height: int) -> dict[str, np.ndarray]:
    """Pictures (height, width, 3) that bring out rounding and clipping."""
    noise = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)
    y, x = np.mgrid[:height, :width]
    ramp = np.stack(
        [255 * x // max(1, width - 1), 255 * y // max(1, height - 1), (x + y) % 256], -1
    )
    return {
        "noise": noise,
        "black and white": np.where(noise < 128, 0, 255).astype(np.uint8),
        "a ramp": ramp.astype(np.uint8),
        "white": np.full((height, width, 3), 255, np.uint8),
    }


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize(("size", "to"), SIZES)
def test_every_pixel_is_pillows(
    filter: str, size: tuple[int, int], to: tuple[int, int], a_source_page: Page
) -> None:
    for name, pixels in contents(*size).items():
        data = base64.b64encode(pixels.tobytes()).decode()
        found = base64.b64decode(a_source_page.evaluate(RESIZED, [data, size, to, filter]))
        ours = np.frombuffer(found, np.uint8).reshape(to[1], to[0], 4)
        theirs = np.asarray(Image.fromarray(pixels).resize(to, FILTERS[filter]))
        assert np.array_equal(ours[..., :3], theirs), name
        assert (ours[..., 3] == 255).all(), name
