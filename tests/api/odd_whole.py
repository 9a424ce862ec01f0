"""Whole pictures of odd kinds: each can be opened, so each is to be classified."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from tests.page.photos import encoded

Named = tuple[str, bytes]
SIZE = (61, 43)  # odd, so that no row ends on a byte or a block


def whole(seed: int) -> Iterator[Named]:
    """Names and bytes of pictures that are to be answered."""
    scene = drawn_scene(np.random.default_rng(seed))
    for kinds in (_jpeg, _png, _raw_png, _gif, _webp, _tiff, _bmp, _ppm, _heif, _exif, _shapes):
        yield from kinds(scene)


def drawn_scene(random: np.random.Generator, size: tuple[int, int] = SIZE) -> Image.Image:
    """Soft colours with some noise: neither flat nor incompressible."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    planes = [x, y, 1 - x * y]
    pixels = np.stack(planes, axis=2) * 200 + random.uniform(0, 50, (height, width, 3))
    return Image.fromarray(pixels.astype(np.uint8), "RGB")


def _saved(
    image: Image.Image, format: str, modes: str, name: str = "", **settings: Any
) -> Iterator[Named]:
    for mode in modes.split():
        label = "-".join([format.lower(), mode, *([name] if name else [])])
        yield label, encoded(image.convert(mode), format, **settings)


def _jpeg(scene: Image.Image) -> Iterator[Named]:
    yield from _saved(scene, "JPEG", "L RGB CMYK YCbCr")
    yield from _saved(scene, "JPEG", "L RGB CMYK", "progressive", progressive=True)
    for quality in (1, 50, 100):
        yield from _saved(scene, "JPEG", "RGB", f"quality-{quality}", quality=quality)
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        yield from _saved(scene, "JPEG", "RGB", sampling.replace(":", ""), subsampling=sampling)
    yield from _saved(scene, "JPEG", "RGB", "restarts", restart_marker_blocks=1)
    yield from _saved(scene, "JPEG", "RGB", "optimised", optimize=True)
    yield from _saved(scene, "JPEG", "RGB", "comment", comment=b"\0<script>" * 500)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield from _saved(scene, "JPEG", "RGB", "icc", icc_profile=profile)
    yield from _saved(scene, "JPEG", "RGB", "icc-broken", icc_profile=b"\xff" * 300)
    yield from _saved(scene, "JPEG", "RGB", "icc-huge", icc_profile=bytes(1_000_000))
    yield from _saved(scene, "JPEG", "CMYK", "icc-of-rgb", icc_profile=profile)
    plain = encoded(scene, "JPEG")
    yield "jpeg-followed-by-zip", plain + b"PK\x03\x04" + bytes(500)
    yield "jpeg-followed-by-script", plain + b"<script>alert(1)</script>"
    yield "jpeg-padded-markers", plain[:2] + b"\xff" * 20 + plain[2:]
    yield "jpeg-many-segments", plain[:2] + b"\xff\xef\x00\x04ab" * 5000 + plain[2:]
    yield "mpo", encoded(scene, "MPO", save_all=True, append_images=[scene.rotate(90)])


def _png(scene: Image.Image) -> Iterator[Named]:
    yield from _saved(scene, "PNG", "1 L LA P RGB RGBA")
    yield from _saved(scene, "PNG", "P", "transparent-index", transparency=3)
    yield from _saved(scene, "PNG", "P", "transparent-many", transparency=bytes(range(200)))
    yield from _saved(scene, "PNG", "RGB", "transparent-colour", transparency=(10, 20, 30))
    yield from _saved(scene, "PNG", "L", "transparent-grey", transparency=7)
    yield from _saved(scene, "PNG", "RGB", "icc-broken", icc_profile=b"no profile")
    yield from _saved(scene, "PNG", "RGB", "dpi-nil", dpi=(0, 0))
    for bits in (1, 2, 4):
        colours = scene.convert("P", palette=Image.Palette.ADAPTIVE, colors=2**bits)
        yield f"png-P-{bits}-bit", encoded(colours, "PNG", bits=bits)
    deep = Image.fromarray(np.asarray(scene.convert("L")).astype(np.uint16) * 257)
    yield "png-16-bit", encoded(deep, "PNG")
    yield "tiff-16-bit", encoded(deep, "TIFF")
    clear = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    yield "png-all-transparent", encoded(clear, "PNG")
    frames = [scene.rotate(turn) for turn in (90, 180)]
    yield "apng", encoded(scene, "PNG", save_all=True, append_images=frames)
    words = PngImagePlugin.PngInfo()
    words.add_text("Title", "<script>alert(1)</script>", zip=True)
    words.add_itxt("Comment", "\N{BEAR FACE}" * 1000, "xx", "\0")
    yield from _saved(scene, "PNG", "RGB", "words", pnginfo=words)


def _raw_png(scene: Image.Image) -> Iterator[Named]:
    """Every colour type, bit depth and interlacing that the format knows."""
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    for colour, bits in depths.items():
        for depth in bits:
            for interlaced in (0, 1):
                name = f"png-colour-{colour}-{depth}-bit{'-interlaced' * interlaced}"
                yield name, raw_png(colour, depth, interlaced)


def raw_png(colour: int, depth: int, interlaced: int, size: tuple[int, int] = SIZE) -> bytes:
    width, height = size
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                  (1, 0, 2, 2), (0, 1, 1, 2)]  # fmt: skip
    rows = b""
    for left, top, right, down in passes:
        across, lines = -(-(width - left) // right), -(-(height - top) // down)
        if across > 0:
            row = bytes(number * 37 % 256 for number in range(-(-across * channels * depth // 8)))
            rows += (b"\0" + row) * max(0, lines)
    palette = chunk(b"PLTE", bytes(range(256)) * 3) if colour == 3 else b""
    if colour == 3:
        palette = chunk(b"PLTE", (bytes(range(256)) * 3)[: 3 * 2**depth])
    return png(size, depth, colour, palette + chunk(b"IDAT", zlib.compress(rows)), interlaced)


def png(
    size: tuple[int, int], depth: int, colour: int, chunks: bytes, interlaced: int = 0
) -> bytes:
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _gif(scene: Image.Image) -> Iterator[Named]:
    yield from _saved(scene, "GIF", "1 L P RGB RGBA")
    yield from _saved(scene, "GIF", "P", "transparent", transparency=0)
    yield from _saved(scene, "GIF", "P", "flat", interlace=0)
    yield from _saved(scene, "GIF", "P", "comment", comment=b"x" * 2000)
    frames = [scene.rotate(turn) for turn in range(10, 100, 10)]
    yield "gif-animated", encoded(scene, "GIF", save_all=True, append_images=frames)
    many = [Image.new("P", (9, 9), number % 256) for number in range(1000)]
    yield "gif-1000-frames", encoded(many[0], "GIF", save_all=True, append_images=many[1:])
    yield "gif-followed-by-script", encoded(scene, "GIF") + b"=1;alert(1)"


def _webp(scene: Image.Image) -> Iterator[Named]:
    yield from _saved(scene, "WEBP", "L P RGB RGBA CMYK")
    yield from _saved(scene, "WEBP", "RGB RGBA", "lossless", lossless=True)
    for quality in (0, 100):
        yield from _saved(scene, "WEBP", "RGB", f"quality-{quality}", quality=quality)
    yield "webp-all-transparent", encoded(Image.new("RGBA", SIZE, (9, 9, 9, 0)), "WEBP")
    frames = [scene.rotate(turn) for turn in (30, 60)]
    yield "webp-animated", encoded(scene, "WEBP", save_all=True, append_images=frames)


def _tiff(scene: Image.Image) -> Iterator[Named]:
    yield from _saved(scene, "TIFF", "1 L LA P RGB RGBA CMYK YCbCr LAB I F")
    for way in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd"):
        yield from _saved(scene, "TIFF", "RGB", way, compression=way)
    for way in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield from _saved(scene, "TIFF", "L CMYK", way, compression=way)
    for way in ("group3", "group4", "tiff_ccitt"):
        yield from _saved(scene, "TIFF", "1", way, compression=way)
    yield from _saved(scene, "TIFF", "RGB L", "jpeg", compression="jpeg")
    yield from _saved(scene, "TIFF", "RGB", "big", big_tiff=True)
    yield from _saved(scene, "TIFF", "RGB", "big-endian", tiffinfo={270: "words" * 99})
    pages = [scene.rotate(turn) for turn in range(5)]
    yield "tiff-pages", encoded(scene, "TIFF", save_all=True, append_images=pages)
    values = np.linspace(0, 1e30, SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE[::-1])
    yield "tiff-float-huge", encoded(Image.fromarray(values), "TIFF")
    negative = Image.fromarray(-np.abs(values))
    yield "tiff-float-negative", encoded(negative, "TIFF")


def _bmp(scene: Image.Image) -> Iterator[Named]:
    yield from _saved(scene, "BMP", "1 L P RGB RGBA")
    plain = encoded(scene, "BMP")
    height = struct.pack("<i", -SIZE[1])
    yield "bmp-top-down", plain[:22] + height + plain[26:]
    row = bytes(2 * SIZE[0] + (-2 * SIZE[0]) % 4)
    header = struct.pack("<IiiHHIIiiII", 40, *SIZE, 1, 16, 0, 0, 0, 0, 0, 0)
    yield "bmp-16-bit", b"BM" + struct.pack("<IHHI", 0, 0, 0, 54) + header + row * SIZE[1]
    os2 = struct.pack("<IHHHH", 12, *SIZE, 1, 24)
    rows = bytes(3 * SIZE[0] + (-3 * SIZE[0]) % 4) * SIZE[1]
    yield "bmp-os2", b"BM" + struct.pack("<IHHI", 0, 0, 0, 26) + os2 + rows


def _ppm(scene: Image.Image) -> Iterator[Named]:
    yield from _saved(scene, "PPM", "1 L RGB")
    yield "pgm-16-bit", b"P5 9 9 65535\n" + bytes(range(162))
    yield "pgm-plain", b"P2\n# words\n3 3 255\n" + b"9 99 199\n" * 3
    yield "ppm-plain", b"P3 3 3 15 " + b"1 2 3 4 5 6 7 8 9 " * 3
    yield "pbm-plain", b"P1 3 3\n101\n010\n101\n"
    yield "pfm", b"Pf\n4 4\n-1.0\n" + struct.pack("<16f", *range(16))


def _heif(scene: Image.Image) -> Iterator[Named]:
    yield from _saved(scene, "HEIF", "L RGB RGBA")
    yield from _saved(scene, "HEIF", "RGB", "lossless", quality=-1)
    yield "heif-two", encoded(scene, "HEIF", save_all=True, append_images=[scene.rotate(90)])
    yield from _saved(scene, "AVIF", "L RGB RGBA")
    yield from _saved(scene, "AVIF", "RGB", "worst", quality=0)
    yield from _saved(scene, "AVIF", "RGB", "444", subsampling="4:4:4")
    frames = [scene.rotate(turn) for turn in (30, 60)]
    yield "avif-animated", encoded(scene, "AVIF", save_all=True, append_images=frames)


def _exif(scene: Image.Image) -> Iterator[Named]:
    for orientation in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for format in ("JPEG", "PNG", "WEBP", "TIFF", "HEIF"):
            if format == "JPEG" or orientation == 6:
                yield from _saved(scene, format, "RGB", f"turned-{orientation}", exif=exif)
    odd = {
        "words-as-orientation": _tiff_block([(0x0112, 2, 6, 26)], b"six\0\0\0"),
        "huge-count": _tiff_block([(0x0112, 3, 2**31, 8)]),
        "points-nowhere": _tiff_block([(0x8769, 4, 1, 2**31)]),
        "points-at-itself": _tiff_block([(0x8769, 4, 1, 8)]),
        "nothing": b"",
        "one-byte": b"M",
        "zeros": bytes(60_000),
        "noise": bytes(number * 89 % 256 for number in range(5000)),
    }
    for name, block in odd.items():
        yield from _saved(scene, "JPEG", "RGB", f"exif-{name}", exif=b"Exif\0\0" + block)
    twins = Image.Exif()
    twins[0x010E] = "é<script>\0" * 200
    twins[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    yield from _saved(scene, "JPEG", "RGB", "exif-place", exif=twins)
    profile = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="99">' * 50
    yield from _saved(scene, "JPEG", "RGB", "xmp", xmp=profile)


def _tiff_block(entries: list[tuple[int, int, int, int]], tail: bytes = b"") -> bytes:
    """EXIF's inside: one directory of (tag, type, count, value)."""
    directory = struct.pack("<H", len(entries))
    for entry in entries:
        directory += struct.pack("<HHII", *entry)
    return b"II*\0\x08\0\0\0" + directory + bytes(4) + tail


def _shapes(scene: Image.Image) -> Iterator[Named]:
    for width, height in ((1, 1), (1, 2), (2, 1), (7, 7), (1, 5000), (5000, 1), (16383, 3)):
        for format in ("JPEG", "PNG", "WEBP", "GIF"):
            plain = Image.new("RGB", (width, height), (9, 99, 199))
            yield f"{format.lower()}-{width}-by-{height}", encoded(plain, format)
    yield "jpeg-65500-by-1", encoded(Image.new("RGB", (65500, 1)), "JPEG")
    yield "png-100000-by-1", encoded(Image.new("L", (100_000, 1)), "PNG")
    yield "png-1-by-100000", encoded(Image.new("1", (1, 100_000)), "PNG")
    yield "png-36-megapixels", encoded(Image.new("1", (6000, 6000)), "PNG")
    yield "jpeg-36-megapixels", encoded(Image.new("L", (6000, 6000)), "JPEG")
