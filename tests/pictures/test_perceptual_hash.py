"""The perceptual hash is ImageHash's, bit for bit, and near for copies that were changed."""

from __future__ import annotations

import io
from pathlib import Path

import imagehash
from PIL import Image

from kezako.dataset.hashes import NEAR_BITS
from kezako.gather.sample import CLASSES, draw_face
from kezako.pictures import open_picture, perceptual_hash


def _differing(first: str, second: str) -> int:
    return (int(first, 16) ^ int(second, 16)).bit_count()


def _some(photos: dict[str, list[Path]]) -> list[Image.Image]:
    return [open_picture(path) for paths in photos.values() for path in paths[:20]]


def test_it_equals_imagehash_on_photos_and_drawings(some_photos: dict[str, list[Path]]) -> None:
    drawn = [draw_face(mood, number) for mood in CLASSES for number in range(20)]
    for image in [*_some(some_photos), *drawn]:
        assert perceptual_hash(image) == str(imagehash.phash(image, hash_size=16))


def test_copies_of_another_size_and_coding_are_near(some_photos: dict[str, list[Path]]) -> None:
    for image in _some(some_photos):
        small = io.BytesIO()
        image.resize((image.width * 3 // 4, image.height * 3 // 4)).save(small, "WEBP", quality=60)
        assert _differing(perceptual_hash(image), perceptual_hash(Image.open(small))) <= NEAR_BITS


def test_other_pictures_are_far(some_photos: dict[str, list[Path]]) -> None:
    hashes = [perceptual_hash(image) for image in _some(some_photos)]
    far = [_differing(one, other) > NEAR_BITS for one in hashes for other in hashes if one != other]
    assert sum(far) >= 0.99 * len(far)
