"""All `KEZAKO_*` variables: what they set, defaults and bounds; shown in docs/settings.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

PREFIX = "KEZAKO_"
DAY = 86_400.0  # seconds


class Kind(Protocol):
    """The type of a setting's value."""

    @property
    def wanted(self) -> str:
        """The end of the error message, after "KEZAKO_X is '…'; "."""

    def read(self, text: str) -> Any:
        """The parsed value. Raises `ValueError` for any other text."""


@dataclass(frozen=True)
class Number:
    least: float
    most: float
    unit: str = "a number"
    such: float | None = None  # an example
    whole: bool = False

    @property
    def wanted(self) -> str:
        example = "" if self.such is None else f", such as {_shown(self.such)}"
        return f"give {self.unit} from {_shown(self.least)} to {_shown(self.most)}{example}"

    def read(self, text: str) -> float:
        number = int(text) if self.whole else float(text)
        if not text.isascii() or not self.least <= number <= self.most:  # rejects NaN, too
            raise ValueError
        return number


@dataclass(frozen=True)
class Flag:
    wanted = "write 1 or 0, or on or off"

    def read(self, text: str) -> bool:
        said = text.lower()
        if said not in ("1", "yes", "true", "on", "0", "no", "false", "off"):
            raise ValueError
        return said in ("1", "yes", "true", "on")


@dataclass(frozen=True)
class Choice:
    words: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return f"write {', '.join(self.words[:-1])} or {self.words[-1]}"

    def read(self, text: str) -> str:
        if text not in self.words:
            raise ValueError
        return text


@dataclass(frozen=True)
class Address:
    schemes: tuple[str, ...] = ("http", "https")
    such: str = "http://127.0.0.1:8080"

    @property
    def wanted(self) -> str:
        return f"give an address such as {self.such}"

    def read(self, text: str) -> str:
        parts = urlsplit(text)  # raises ValueError, too
        if parts.scheme not in self.schemes or not (parts.hostname or parts.scheme == "file"):
            raise ValueError
        return text.rstrip("/")


@dataclass(frozen=True)
class Text:
    """One line of text; printable ASCII only if it is used in an HTTP header."""

    header: bool = False
    without: str = ""  # forbidden characters
    such: str = ""

    @property
    def wanted(self) -> str:
        letters = "printable ASCII, as HTTP headers are" if self.header else "one line of text"
        without = f", without any of {self.without}" if self.without else ""
        return f"give {letters}{without}" + (f", such as {self.such}" if self.such else "")

    def read(self, text: str) -> str:
        if "\r" in text or "\n" in text or any(sign in text for sign in self.without):
            raise ValueError
        if self.header and not (text.isascii() and text.isprintable()):
            raise ValueError
        return text


def _seconds(such: float, most: float = DAY) -> Number:
    return Number(0.1, most, "seconds", such)


def _count(most: float, such: float | None = None) -> Number:
    return Number(1, most, "a whole number", such, whole=True)


MIB = 2**20
SECRET = ("API_TOKEN", "ENGINE_TOKEN")  # never shown in messages


@dataclass(frozen=True)
class Setting:
    """One environment variable."""

    kind: Kind
    default: str  # as docs/settings.md shows it
    does: str


# By group, without PREFIX. The reason for a default is explained where the setting is used.
GROUPS: Mapping[str, Mapping[str, Setting]] = {
    "Everything": {
        "HOME": Setting(Text(), "the nearest folder with `data/` or `models/`",
                        "the workspace: the folder of `data/`, `models/` and `notebooks/`"),
        "THREADS": Setting(Number(0, 1024, "a whole number", 1, whole=True), "one a physical core",
                           "threads of one classification"),
        "PATIENCE": Setting(Number(0.001, DAY, "seconds", 20), "20",
                            "seconds until a classification is stopped"),
        "PHOTOS": Setting(Text(), "none", "folder of photographs for tests and benchmarks"),
    },
    "Gathering pictures": {
        "SOURCES": Setting(Text(), "none", "Python files with sources of your own, with "
                           "your system's path separator between them"),
        "URLS": Setting(Text(), "`data/NAME/urls`", "folder with a file of addresses for each "
                        "class, for the source `urls`"),
        "PROXY": Setting(Text(), "`HTTPS_PROXY` and the like",
                         "the proxy for all requests to the web"),
        "CA": Setting(Text(), "`SSL_CERT_FILE`", "PEM file of an authority to trust, for a proxy "
                      "that opens TLS"),
        "CONTACT": Setting(Text(header=True), "none", "an e-mail or web address, sent to sites "
                           "so that they can reach you"),
        "PAUSE": Setting(Number(0, 100, such=1), "1", "factor for the pauses between requests to "
                         "one site; 0 for tests"),
        "ALLOW_PRIVATE": Setting(Flag(), "off", "pictures may come from private addresses; only "
                                 "for pictures on your own network"),
        "OPENVERSE_URL": Setting(Address(), "Openverse's own", "another server with its API"),
        "WIKIMEDIA_URL": Setting(Address(), "Wikimedia Commons' own", "the same, for its API"),
    },
    "Training": {
        "WEIGHTS": Setting(Choice(("imagenet", "starter", "random")),
                           "ImageNet's, else the starter's", "what a training starts from"),
        "WEIGHTS_URL": Setting(Address(("http", "https", "file"), "https://example.org/resnet18.pth"),
                               "torchvision's", "where ImageNet's weights are downloaded"),
    },
    "The page": {
        "MODEL": Setting(Text(), "the first by name", "the classifier that answers"),
        "CAMERA": Setting(Flag(), "on", "whether the page may offer the camera"),
        "CORRECTIONS": Setting(Flag(), "off", "visitors may send photos back"),
        "CORRECTIONS_A_VISIT": Setting(_count(500, 5), "5", "photos that one visit may send back"),
        "ENGINE": Setting(Address(such="http://engine.example:8000"), "none",
                          "another server that classifies in place of this one (`--engine`)"),
        "ENGINE_TOKEN": Setting(Text(header=True), "none", "that server's `KEZAKO_API_TOKEN`"),
    },
    "Visitors of `kezako serve`": {
        "VISITORS": Setting(_count(100_000), "what memory holds",
                            "visitors at once (`--visitors`)"),
        "MOST_VISITORS": Setting(_count(100_000, 200), "200",
                                 "the same, however much memory there is"),
        "VISITORS_PER_ADDRESS": Setting(_count(100_000), "three quarters of the places",
                                        "visitors from one address"),
        "ARRIVALS_AT_ONCE": Setting(_count(100_000, 40), "40",
                                    "pages that one address may open at once"),
        "ARRIVALS_A_SECOND": Setting(Number(0, 100_000, such=1), "1", "and a second after that"),
        "BEHIND_PROXY": Setting(Flag(), "off; on at Heroku",
                                "whether `X-Forwarded-For` is believed (`--behind-proxy`)"),
        "FRAME_ANCESTORS": Setting(
            Text(header=True, without=";,", such="'self' https://huggingface.co"), "`'self'`",
            "sites that may show the page in a frame (`--frame-ancestors`)"),
        "OPENING": Setting(_seconds(30), "30", "seconds for a page to start"),
        "RETURNING": Setting(_seconds(75), "75", "seconds for a page to come back"),
        "RETURNING_WHEN_FULL": Setting(_seconds(20), "20", "the same, while others wait"),
        "IDLE": Setting(_seconds(1800, 30 * DAY), "1800", "seconds without a touch"),
        "IDLE_WHEN_FULL": Setting(_seconds(300, 30 * DAY), "300", "the same, while others wait"),
        "BUSY": Setting(_seconds(120), "120", "seconds at one task"),
        "UPLOAD": Setting(Number(64 * 1024, 1024 * MIB, "bytes", 64 * MIB, whole=True),
                          "67108864 (64 MiB), less on a small host", "bytes of one photo"),
        "KERNEL_MEMORY": Setting(Number(32 * MIB, 2**20 * MIB, "bytes", 1024 * MIB, whole=True),
                                 "1073741824 (1 GiB), less on a small host",
                                 "bytes that one visitor's kernel may hold"),
        "MESSAGES_A_SECOND": Setting(Number(1, 1_000_000, such=60), "60",
                                     "messages that a page may send, a second"),
        "MESSAGES_AT_ONCE": Setting(_count(1_000_000, 400), "400", "and in one burst"),
    },
    "The API": {
        "API": Setting(Flag(), "on", "whether the API answers; health and metrics stay"),
        "API_TOKEN": Setting(Text(header=True), "none",
                             "what callers send as `Authorization: Bearer …`"),
        "API_ORIGINS": Setting(Text(header=True), "none", "other web sites whose scripts may "
                               "call, such as `https://example.org`; `*` for all"),
        "API_PICTURES": Setting(_count(10_000, 32), "32", "pictures in one request"),
        "API_BODY": Setting(Number(1, 4096, "MB", 64, whole=True), "64",
                            "MB of one request, as a form or a picture"),
        "API_JSON": Setting(Number(1, 4096, "MB", 32, whole=True), "32",
                            "MB of one request in JSON"),
        "API_BODIES": Setting(Number(1, 1_000_000, "MB", 96, whole=True), "96",
                              "MB of all requests together"),
        "API_REQUESTS": Setting(_count(100_000, 256), "256",
                                "requests at once, half of them from one address"),
        "API_WAITING": Setting(_count(1_000_000, 256), "256", "pictures in the queue"),
        "API_DEADLINE": Setting(_seconds(25, 3600), "25", "seconds until an answer, or a 503"),
        "API_SECONDS_EACH": Setting(_seconds(15, 3600), "15", "seconds that one picture may take"),
        "API_SILENCE": Setting(_seconds(20, 3600), "20", "seconds without a byte of an upload"),
        "API_UPLOAD": Setting(_seconds(120), "120", "seconds for one whole upload"),
    },
}  # fmt: skip
SETTINGS: Mapping[str, Setting] = {
    name: setting for group in GROUPS.values() for name, setting in group.items()
}


def _shown(number: float) -> str:
    return f"{number:.0f}" if number == int(number) else f"{number:g}"
