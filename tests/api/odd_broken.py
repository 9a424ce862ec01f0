"""What is no picture, or no longer one: each gets a sentence or, where much is left, a label."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping

import numpy as np
from PIL import Image

from tests.api.odd_whole import SIZE, Named, chunk, drawn_scene, png
from tests.page.photos import encoded

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "HEIF", "AVIF", "PPM")


def damaged(seed: int) -> Iterator[Named]:
    """Cut short, flipped, or dressed as another kind: a label or a sentence, either is right."""
    random = np.random.default_rng(seed)
    scene = drawn_scene(random)
    originals = {format: encoded(scene, format) for format in FORMATS}
    yield from _cut(originals)
    yield from _flipped(originals, random)
    yield from _dressed(originals)
    yield from _jpeg(originals["JPEG"], encoded(scene, "JPEG", progressive=True))
    yield from _png()
    yield from _others(originals)


def refused(seed: int) -> Iterator[Named]:
    """What nobody would call a picture that a page takes: a sentence."""
    yield from _no_pictures(np.random.default_rng(seed))
    yield from _kinds_not_taken(drawn_scene(np.random.default_rng(seed)))
    yield from _too_large()


def _cut(originals: Mapping[str, bytes]) -> Iterator[Named]:
    for format, data in originals.items():
        for size in (1, 4, 12, 30, len(data) // 10, len(data) // 2, len(data) - 20, len(data) - 1):
            yield f"{format.lower()}-cut-at-{size}", data[:size]


def _flipped(originals: Mapping[str, bytes], random: np.random.Generator) -> Iterator[Named]:
    for format, data in originals.items():
        for count in (1, 3, 10, 100):
            for part, end in (("head", min(200, len(data))), ("all", len(data))):
                flipped = bytearray(data)
                for at in random.integers(0, end, count):
                    flipped[at] = random.integers(0, 256)
                yield f"{format.lower()}-flipped-{part}-{count}", bytes(flipped)


def _dressed(originals: Mapping[str, bytes]) -> Iterator[Named]:
    formats = list(originals)
    for format, other in zip(formats, formats[1:] + formats[:1], strict=True):
        head = originals[other][:16]
        yield f"{format.lower()}-dressed-as-{other.lower()}", head + originals[format][16:]
        yield f"{format.lower()}-before-{other.lower()}", originals[format] + originals[other]
        yield f"{format.lower()}-after-zeros", bytes(64) + originals[format]
        yield f"{format.lower()}-after-line", b"\r\n" + originals[format]
        yield f"{format.lower()}-zeros-inside", _zeroed(originals[format])


def _zeroed(data: bytes) -> bytes:
    third = len(data) // 3
    return data[:third] + bytes(third) + data[2 * third :]


def _jpeg(plain: bytes, progressive: bytes) -> Iterator[Named]:
    frame = plain.index(b"\xff\xc0")
    for kind in (0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCB):
        yield f"jpeg-frame-{kind:x}", plain[: frame + 1] + bytes([kind]) + plain[frame + 2 :]
    for bits in (0, 1, 12, 16, 255):
        yield f"jpeg-{bits}-bit", plain[: frame + 4] + bytes([bits]) + plain[frame + 5 :]
    sizes = {"0-high": (0, 61), "0-wide": (43, 0), "65535": (65535, 65535), "7000": (7000, 7000)}
    for name, size in sizes.items():
        packed = struct.pack(">HH", *size)
        yield f"jpeg-says-{name}", plain[: frame + 5] + packed + plain[frame + 9 :]
    for parts in (0, 1, 2, 4, 5, 255):
        yield f"jpeg-{parts}-parts", plain[: frame + 9] + bytes([parts]) + plain[frame + 10 :]
    for name, marker in (("tables", b"\xff\xc4"), ("quantisation", b"\xff\xdb")):
        yield f"jpeg-no-{name}", _without(plain, marker)
    scan = progressive.rindex(b"\xff\xda")
    yield "jpeg-scans-again", progressive[:-2] + progressive[scan:-2] * 2000 + b"\xff\xd9"
    yield "jpeg-no-end", plain[:-2]
    yield "jpeg-only-ends", b"\xff\xd8\xff\xd9"
    yield "jpeg-two-starts", b"\xff\xd8" + plain
    yield "jpeg-segment-too-long", plain[:4] + b"\xff\xff" + plain[6:]
    yield "jpeg-segment-of-0", plain[:4] + b"\x00\x00" + plain[6:]


def _without(data: bytes, marker: bytes) -> bytes:
    while (at := data.find(marker)) >= 0:
        (size,) = struct.unpack(">H", data[at + 2 : at + 4])
        data = data[:at] + data[at + 2 + size :]
    return data


def _png() -> Iterator[Named]:
    rows = zlib.compress((b"\0" + bytes(3 * SIZE[0])) * SIZE[1])
    data = chunk(b"IDAT", rows)
    yield "png-no-data", png(SIZE, 8, 2, b"")
    yield "png-data-empty", png(SIZE, 8, 2, chunk(b"IDAT", b""))
    yield "png-data-too-short", png(SIZE, 8, 2, chunk(b"IDAT", zlib.compress(b"\0" * 9)))
    yield "png-data-too-long", png(SIZE, 8, 2, chunk(b"IDAT", zlib.compress(bytes(10**6))))
    yield "png-no-palette", png(SIZE, 8, 3, data)
    yield "png-palette-of-1", png(SIZE, 8, 3, chunk(b"PLTE", bytes(3)) + data)
    yield "png-palette-uneven", png(SIZE, 8, 3, chunk(b"PLTE", bytes(4)) + data)
    yield "png-crc-wrong", png(SIZE, 8, 2, data[:-1] + b"x")
    yield "png-filter-unknown", png(SIZE, 8, 2, chunk(b"IDAT", zlib.compress(b"\x09" * 9999)))
    yield "png-bits-3", png(SIZE, 3, 2, data)
    yield "png-colour-5", png(SIZE, 8, 5, data)
    yield "png-interlacing-7", png(SIZE, 8, 2, data, 7)
    yield "png-unknown-critical", png(SIZE, 8, 2, chunk(b"ABCD", b"x") + data)
    yield "png-length-beyond", png(SIZE, 8, 2, b"\xff\xff\xff\xff" + data[4:])
    yield "png-0-by-0", png((0, 0), 8, 2, data)
    yield "png-split-in-bytes", png(SIZE, 8, 2, b"".join(chunk(b"IDAT", bytes([b])) for b in rows))
    bomb = zlib.compress(bytes(50 * 10**6))
    yield "png-words-bomb", png(SIZE, 8, 2, chunk(b"zTXt", b"a\0\0" + bomb) + data)
    yield "png-profile-bomb", png(SIZE, 8, 2, chunk(b"iCCP", b"a\0\0" + bomb) + data)
    yield "png-many-words", png(SIZE, 8, 2, chunk(b"tEXt", b"a\0b") * 20_000 + data)
    yield "png-exif-broken", png(SIZE, 8, 2, chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff") + data)
    yield "png-frames-2-billion", png(SIZE, 8, 2, chunk(b"acTL", b"\x7f\xff\xff\xff" * 2) + data)


def _others(originals: Mapping[str, bytes]) -> Iterator[Named]:
    tiff = originals["TIFF"]
    (first,) = struct.unpack("<I", tiff[4:8])
    yield "tiff-directory-loop", _looped(tiff, first)
    yield "tiff-directory-beyond", tiff[:4] + b"\xff\xff\xff\x7f" + tiff[8:]
    yield "tiff-directory-in-header", tiff[:4] + bytes(4) + tiff[8:]
    yield "tiff-big-endian-lie", b"MM\0*" + tiff[4:]
    bmp = originals["BMP"]
    for name, at, value in (
        ("bits-7", 28, 7), ("compression-9", 30, 9), ("rle-8", 30, 1), ("jpeg", 30, 4),
        ("offset-beyond", 10, 2**31), ("offset-0", 10, 0), ("header-3", 14, 3),
        ("width-0", 18, 0), ("height-0", 22, 0), ("width-negative", 18, 2**32 - 61),
    ):  # fmt: skip
        size = 2 if at == 28 else 4
        yield f"bmp-{name}", bmp[:at] + value.to_bytes(size, "little") + bmp[at + size :]
    gif = originals["GIF"]
    yield "gif-screen-65535", gif[:6] + b"\xff\xff\xff\xff" + gif[10:]
    yield "gif-screen-0", gif[:6] + bytes(4) + gif[10:]
    yield "gif-no-colours", gif[:10] + b"\0" + gif[11:]
    webp = originals["WEBP"]
    yield "webp-length-beyond", webp[:4] + b"\xff\xff\xff\xff" + webp[8:]
    yield "webp-length-0", webp[:4] + bytes(4) + webp[8:]
    for name, header in {
        "letters": b"P6 x y 255\n", "negative": b"P6 -1 -1 255\n", "deep": b"P6 3 3 99999\n",
        "depth-0": b"P5 3 3 0\n", "no-size": b"P6\n", "digits": b"P6 " + b"9" * 5000,
        "comment": b"P6 #" + b"x" * 10**5,
    }.items():  # fmt: skip
        yield f"ppm-{name}", header + bytes(99)
    for format in ("HEIF", "AVIF"):
        data = originals[format]
        sizes = data.find(b"ispe") + 8
        wide = struct.pack(">II", 2**31 - 1, 2**31 - 1)
        yield f"{format.lower()}-says-huge", data[:sizes] + wide + data[sizes + 8 :]
        yield f"{format.lower()}-says-0", data[:sizes] + bytes(8) + data[sizes + 8 :]
        yield f"{format.lower()}-only-brand", data[:40]


def _looped(tiff: bytes, first: int) -> bytes:
    """The first directory names itself as the next."""
    (entries,) = struct.unpack("<H", tiff[first : first + 2])
    after = first + 2 + 12 * entries
    return tiff[:after] + struct.pack("<I", first) + tiff[after + 4 :]


def _no_pictures(random: np.random.Generator) -> Iterator[Named]:
    page = b"<!doctype html><title>x</title><script>alert(1)</script>"
    laughs = b"".join(
        b'<!ENTITY a%d "%s">' % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 10)
    )
    packed, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../bear.jpg", bytes(10**7))
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("bear.jpg"))
    yield from {
        "empty": b"",
        "zero": b"\0",
        "zeros": bytes(10**6),
        "ones": b"\xff" * 10**5,
        "noise": random.bytes(10**5),
        "text": b"this is no picture\n" * 99,
        "text-utf-16": "no picture".encode("utf-16"),
        "html": page,
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
        "svg-laughs": b"<!DOCTYPE svg [" + laughs + b"]><svg>&a9;</svg>",
        "svg-reads-files": b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
        "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
        "json": b'{"picture": "bear"}',
        "pickle": pickle.dumps({"bear": 1}),
        "zip": packed.getvalue(),
        "tar": tarred.getvalue(),
        "gzip": gzip.compress(bytes(10**7)),
        "elf": b"\x7fELF\x02\x01\x01" + bytes(99),
        "exe": b"MZ" + bytes(999),
        "sqlite": b"SQLite format 3\0" + bytes(99),
        "mp3": b"ID3\x04" + bytes(999),
        "mp4": b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2" + bytes(999),
        "webm": b"\x1a\x45\xdf\xa3" + bytes(999),
        "wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(99),
        "rtf": b"{\\rtf1\\ansi bear}",
        "path": b"/etc/passwd",
        "address": b"http://127.0.0.1/bear.jpg",
        "data-url": b"data:image/png;base64,iVBORw0KGgo=",
        "woff": b"wOF2" + bytes(99),
        "onnx": b"\x08\x08\x12\x07pytorch" + bytes(99),
    }.items()  # fmt: skip


def _kinds_not_taken(scene: Image.Image) -> Iterator[Named]:
    """Pictures whose decoders are rarely used, and so rarely attacked for good: not opened."""
    for format in ("ICO", "TGA", "PCX", "SGI", "DDS", "JPEG2000", "EPS", "PDF"):
        yield f"kind-{format.lower()}", encoded(scene.resize((64, 64)), format)
    for format in ("XBM", "MSP"):
        yield f"kind-{format.lower()}", encoded(scene.convert("1"), format)
    yield "kind-psd", b"8BPS\0\x01" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + bytes(999)
    yield "kind-fits", b"SIMPLE  =                    T".ljust(80) + bytes(2800)
    yield "kind-qoi", b"qoif" + struct.pack(">IIBB", 9, 9, 3, 0) + bytes(99)
    yield "kind-wmf", b"\xd7\xcd\xc6\x9a" + bytes(99)


def _too_large() -> Iterator[Named]:
    for name, size in (("200", (20_000, 10_000)), ("900", (30_000, 30_000))):
        bits = zlib.compress(bytes(size[1] * (1 + size[0] // 8)), 1)
        yield f"large-{name}-megapixels", png(size, 1, 0, chunk(b"IDAT", bits))
    yield "large-png-header", png((2**31 - 1, 2**31 - 1), 8, 6, chunk(b"IDAT", b"x"))
    yield "large-png-line", png((2**31 - 1, 1), 16, 6, chunk(b"IDAT", b"x"))
    gif = encoded(Image.new("P", (9, 9)), "GIF")
    frame = gif.index(b",") + 5
    sides = struct.pack("<HH", 10_000, 9_000)
    yield "large-gif", gif[:6] + sides + gif[10:frame] + sides + gif[frame + 4 :]
    yield "large-tiff", _enlarged(encoded(Image.new("L", (258, 258)), "TIFF"))
    yield "large-ppm", b"P6 60000 60000 255\n" + bytes(99)
    yield (
        "large-bmp",
        b"BM"
        + struct.pack("<IHHI", 0, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 50_000, 50_000, 1, 24, 0, 0, 0, 0, 0, 0),
    )


def _enlarged(tiff: bytes) -> bytes:
    """Says 30,000 wherever it said 258."""
    large = tiff.replace(struct.pack("<I", 258), struct.pack("<I", 30_000)).replace(
        struct.pack("<HH", 258, 0), struct.pack("<HH", 30_000, 0)
    )
    assert large != tiff
    return large
