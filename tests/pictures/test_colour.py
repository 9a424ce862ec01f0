"""A picture's embedded profile: what its numbers stand for is what is seen, kept and learnt."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from kezako.pictures import CONVERT_ABOVE, colour, open_picture
from tests import profiles
from tests.api.odd_whole import chunk
from tests.page.photos import encoded, same_pixels

PROFILES = {"phone": profiles.display_p3, "camera": profiles.adobe_rgb}
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")
PAPER, BLACK, CYAN = (0, 0, 0, 0), (255, 255, 255, 255), (255, 0, 0, 0)


def patches(*colours: Any, mode: str = "RGB", side: int = 48) -> Image.Image:
    """Squares of one colour each, beside one another."""
    image = Image.new(mode, (side * len(colours), side))
    for number, patch in enumerate(colours):
        image.paste(patch, (side * number, 0, side * (number + 1), side))
    return image


def seen(picture: Any, patch: int = 0, side: int = 48) -> np.ndarray:
    """The colour in the middle of a square."""
    opened = open_picture(picture).convert("RGB")
    return np.array(opened.getpixel((side * patch + side // 2, side // 2)), int)


def in_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """`image`, which is in sRGB, in the numbers of another profile."""
    converted = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), io.BytesIO(profile), outputMode=image.mode
    )
    assert converted is not None
    return converted


SOME = patches((200, 100, 50), (60, 160, 90), (90, 90, 180), (128, 128, 128))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PROFILES)
def test_colours_are_what_the_profile_says(name: str, kind: str) -> None:
    profile = PROFILES[name]()
    stored = in_profile(SOME, profile)
    settings = {"quality": 100, "subsampling": "4:4:4"} if kind in ("JPEG", "AVIF") else {}
    if kind == "HEIF":
        settings = {"quality": 100, "chroma": 444}
    told = encoded(stored, kind, icc_profile=profile, **settings)
    untold = encoded(stored, kind, icc_profile=b"", **settings)
    for patch in range(4):
        meant = np.array(SOME.getpixel((48 * patch + 24, 24)))
        assert np.abs(seen(told, patch) - meant).max() <= 7  # what a lossy kind leaves
    assert np.abs(seen(untold, 0) - SOME.getpixel((24, 24))).max() >= 12


def test_grey_has_a_profile_too() -> None:
    linear = profiles.grey(1.0)
    for image in (Image.new("L", (48, 48), 55), Image.new("LA", (48, 48), (55, 255))):
        told = encoded(image, "PNG", icc_profile=linear)
        assert np.abs(seen(told) - 128).max() <= 2
        assert open_picture(told, mode="L").getpixel((9, 9)) == pytest.approx(128, abs=2)


def test_grey_of_16_bits_has_one() -> None:
    values = np.full((48, 48), 55 * 257, np.uint16)
    values[0, 0] = 65535  # or it would be taken for 14 bits
    told = encoded(Image.fromarray(values), "PNG", icc_profile=profiles.grey(1.0))
    assert np.abs(seen(told) - 128).max() <= 2


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_ink_looks_as_on_paper(kind: str) -> None:
    inks = patches(PAPER, BLACK, CYAN, mode="CMYK")
    settings: dict[str, Any] = {"quality": 100} if kind == "JPEG" else {}
    told = encoded(inks, kind, icc_profile=profiles.press(), **settings)
    paper, black, cyan = (seen(told, patch) for patch in range(3))
    assert paper.min() >= 253
    assert black.max() <= 12
    assert np.abs(cyan - (63, 170, 225)).max() <= 5
    assert seen(encoded(inks, kind, **settings), 2).tolist() == [0, 255, 255]


def test_what_programs_write_for_print_is_not_inverted() -> None:
    adobe = encoded(patches(PAPER, BLACK, mode="CMYK"), "JPEG", quality=100)
    assert b"Adobe" in adobe  # whose programs store ink the other way round, and say so here
    assert seen(adobe, 0).min() >= 253
    assert seen(adobe, 1).max() <= 2


def test_transparency_stays() -> None:
    clear = patches((200, 100, 50, 255), (0, 0, 0, 0), mode="RGBA")
    told = encoded(clear, "PNG", icc_profile=profiles.display_p3())
    assert np.abs(seen(told, 0) - (215, 93, 31)).max() <= 2
    assert seen(told, 1).tolist() == [255, 255, 255]


def test_a_palette_has_colours_too() -> None:
    few = patches((200, 100, 50), (0, 0, 0)).quantize(2)
    told = encoded(few, "PNG", icc_profile=profiles.display_p3())
    assert np.abs(seen(told, 0) - (215, 93, 31)).max() <= 2


@pytest.mark.parametrize("profile", [profiles.srgb(2), profiles.srgb(4)], ids=["table", "formula"])
def test_srgb_in_whatever_words_stays_as_it_is(profile: bytes) -> None:
    noise = Image.effect_noise((90, 70), 90).convert("RGB")
    plain = encoded(noise, "PNG")
    assert same_pixels(
        open_picture(encoded(noise, "PNG", icc_profile=profile)), open_picture(plain)
    )
    noise.info["icc_profile"] = profile
    assert colour.conversion_of(noise) is None


def _many_curves() -> bytes:
    """Version 4 may chain as many steps as it likes, each for each pixel."""
    return profiles.matrix(profiles.P3, profiles.formula(), version=4, more=b"mpet" * 1000)


HOSTILE = {
    "empty": b"",
    "no profile": b"no profile",
    "zeros": bytes(5000),
    "cut": profiles.display_p3()[:200],
    "curves cut": profiles.adobe_rgb()[:-30],
    "five megabytes": profiles.matrix(profiles.P3, profiles.formula(), more=bytes(5_000_000)),
    "endless steps": _many_curves(),
    "of ink": profiles.press(),
    "of grey": profiles.grey(),
    "of a link": profiles.display_p3().replace(b"mntr", b"link", 1),
    "of a screen unheard of": profiles.display_p3().replace(b"RGB ", b"FCLR", 1),
    "nowhere": profiles.display_p3().replace(b"rXYZ", b"wXYZ", 1),
    "nonsense": bytes(number * 89 % 256 for number in range(5000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_profile_of_no_use_is_left_aside(name: str) -> None:
    noise = Image.effect_noise((90, 70), 90).convert("RGB")
    plain = open_picture(encoded(noise, "PNG"))
    for kind, settings in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        told = encoded(noise, kind, icc_profile=HOSTILE[name], **settings)
        assert same_pixels(open_picture(told), plain), kind


def test_a_png_whose_profile_is_packed_in_an_unknown_way_opens() -> None:
    noise = Image.effect_noise((90, 70), 90).convert("RGB")
    plain = encoded(noise, "PNG")
    told = plain[:33] + chunk(b"iCCP", b"name\0\7whatever") + plain[33:]
    assert same_pixels(open_picture(told), open_picture(plain))


def test_damaged_profiles_do_no_harm() -> None:
    random = np.random.default_rng(4)
    sound = [profiles.display_p3(), profiles.adobe_rgb(), profiles.grey(), profiles.press(3)]
    modes = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
    for number in range(400):
        profile = bytearray(sound[number % 4])
        image = Image.new(modes[bytes(profile[16:20])], (20, 20), 90)
        for place in random.integers(0, len(profile), random.integers(1, 12)):
            profile[place] = random.choice([0, 1, 255, int(random.integers(256))])
        image.info["icc_profile"] = bytes(profile)
        opened = open_picture(image)
        assert (opened.mode, opened.size) == ("RGB", (20, 20))


def test_few_conversions_are_held() -> None:
    for number in range(3 * colour.HELD):
        image = Image.new("RGB", (4, 4), (200, 100, 50))
        image.info["icc_profile"] = profiles.matrix(profiles.P3, profiles.power(1.2 + number / 64))
        assert colour.conversion_of(image)
    assert len(colour._conversions._held) == colour.HELD


def test_a_picture_is_converted_once() -> None:
    image = in_profile(SOME, profiles.adobe_rgb())
    image.info["icc_profile"] = profiles.adobe_rgb()
    once = open_picture(image)
    assert image.info["icc_profile"], "the picture that was handed over is as it was"
    assert not same_pixels(once, image)
    assert not once.info
    assert same_pixels(open_picture(once), once)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_picture_is_reduced_before_it_is_converted(kind: str) -> None:
    image = patches((200, 100, 50), (60, 160, 90), side=2000)  # 8 megapixels
    told = encoded(image, kind, icc_profile=profiles.display_p3())
    opened = open_picture(told)
    assert opened.width * opened.height <= CONVERT_ABOVE
    assert np.abs(seen(told, 0, 1000) - (215, 93, 31)).max() <= 3
    assert open_picture(encoded(image, kind)).size == (4000, 2000)
