"""Share: a picture of photo and answer, drawn in the browser, for share sheet or clipboard."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.frontend.test_axe import RULES, axe  # noqa: F401
from tests.page.conftest import a_voila  # noqa: F401
from tests.page.photos import drawn, encoded
from tests.servers import until

pytestmark = pytest.mark.browser

WIDTH, EDGE = 1080, 56  # pixels of the picture, and of its margin
ACCENT = (29, 95, 209)
# What is drawn: every text with where and how, beside the real drawing.
WATCH = """window.texts = [];
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    texts.push({ text, x, y, way: this.direction, width: this.measureText(text).width });
    return fillText.call(this, text, x, y);
};"""
# In place of the system's share sheet, which no test can press.
SHEET = """window.shared = [];
Navigator.prototype.canShare = ({ files }) => files.every(({ type }) => type === 'image/jpeg');
Navigator.prototype.share = async ({ files, title }) => {
    const [file] = files;
    const bytes = new Uint8Array(await file.arrayBuffer());
    shared.push({ name: file.name, type: file.type, title, data: [...bytes] });
    if (window.refusal) throw new DOMException('No.', window.refusal);
};"""
COPIED = """async () => {
    const [item] = await navigator.clipboard.read();
    const blob = await item.getType('image/png');
    const reader = new FileReader();
    reader.readAsDataURL(blob);
    await new Promise(resolve => (reader.onload = resolve));
    return reader.result.split(',')[1];
}"""


def answered(page: Page, address: str, photo: bytes, *scripts: str) -> None:
    """Open the page, choose a photo, and wait until "Share" is offered."""
    for script in (WATCH, *scripts):
        page.add_init_script(script)
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("data-kezako", "live")
    choose(page, photo)


def choose(page: Page, photo: bytes) -> None:
    file: Any = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo}
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator(".kezako-is-answer")).to_be_attached()
    expect(page.locator("html:not([data-upload])")).to_be_attached()
    expect(share(page)).to_be_visible()


def share(page: Page) -> Any:
    return page.get_by_role("button", name="Share", exact=True)


def copied(page: Page) -> Image.Image:
    """The picture in the clipboard after a press."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("texts.length = 0")
    share(page).click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("The picture is copied: paste it wherever you like.")
    notice.get_by_role("button", name="Close").click()
    return Image.open(io.BytesIO(base64.b64decode(page.evaluate(COPIED)))).convert("RGB")


def texts(page: Page) -> list[str]:
    return [one["text"] for one in page.evaluate("texts")]


def close_to(colour: Any, wanted: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 12 for one, other in zip(colour, wanted, strict=True))


def test_the_picture_shows_photo_and_answer(a_phone: Page, a_kezako_serve: str) -> None:
    answered(a_phone, a_kezako_serve + "?model=colours", drawn(size=(600, 400)))
    picture = copied(a_phone)
    assert picture.width == WIDTH
    assert picture.height > 900
    assert close_to(picture.getpixel((WIDTH // 2, 300)), (210, 30, 30))  # the photo
    assert close_to(picture.getpixel((10, 10)), (251, 251, 250))  # light ground around it
    said = texts(a_phone)
    assert said[0] == "This is red."
    names = [name for name in said if name in ("red", "green", "blue")]
    assert names[0] == "red"
    assert len(names) == 3
    assert "Which of colours?" in said
    host = a_kezako_serve.removeprefix("http://").rstrip("/")
    assert said[-1] == f"{host}?model=colours"
    longest = max(
        sum(close_to(picture.getpixel((x, y)), ACCENT) for x in range(EDGE, WIDTH - EDGE, 4))
        for y in range(picture.height)
    )
    percent = float(
        a_phone.evaluate("parseFloat(document.querySelector('.kezako-bars i > i').style.width)")
    )
    assert abs(longest / len(range(EDGE, WIDTH - EDGE, 4)) - percent / 100) < 0.03


def test_it_is_light_in_the_dark(a_phone_in_the_dark: Page, a_kezako_serve: str) -> None:
    answered(a_phone_in_the_dark, a_kezako_serve + "?model=colours", drawn())
    assert close_to(copied(a_phone_in_the_dark).getpixel((10, 10)), (251, 251, 250))


def test_only_an_answer_is_shared(a_phone: Page, a_kezako_serve: str) -> None:
    a_phone.goto(a_kezako_serve + "?model=colours")
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    expect(share(a_phone)).to_have_count(0)
    choose(a_phone, drawn())
    file: Any = {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    a_phone.locator("input[type=file]").set_input_files(file)
    expect(a_phone.locator(".kezako-is-error")).to_be_attached()
    expect(share(a_phone)).to_have_count(0)


def test_nothing_leaves_the_browser(a_phone: Page, a_kezako_serve: str) -> None:
    requests: list[tuple[str, str]] = []
    frames: list[Any] = []
    a_phone.on("request", lambda request: requests.append((request.method, request.url)))
    a_phone.on(
        "websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(frame))
    )
    answered(a_phone, a_kezako_serve + "?model=colours", drawn())
    assert not any("share-" in url for _, url in requests), "fetched before it was pressed"
    requests.clear()
    frames.clear()
    copied(a_phone)
    ours = [(method, url) for method, url in requests if not url.startswith(("data:", "blob:"))]
    assert any("/static/share-" in url for _, url in ours)
    assert all(method == "GET" and "/static/" in url for method, url in ours), ours
    assert frames == []


def test_the_share_sheet_gets_a_jpeg(a_phone: Page, a_kezako_serve: str) -> None:
    answered(a_phone, a_kezako_serve + "?model=colours", drawn(), SHEET)
    share(a_phone).focus()
    a_phone.keyboard.press("Enter")
    until(lambda: a_phone.evaluate("shared.length") == 1)
    told = a_phone.evaluate("shared[0]")
    assert told["title"] == "Which of colours?"
    assert (told["name"], told["type"]) == ("answer.jpg", "image/jpeg")
    picture = Image.open(io.BytesIO(bytes(told["data"])))
    assert (picture.format, picture.width) == ("JPEG", WIDTH)
    expect(a_phone.get_by_role("alert")).to_be_hidden()


def test_a_cancelled_sheet_is_silent_and_a_broken_one_makes_way(
    a_phone: Page, a_kezako_serve: str
) -> None:
    answered(a_phone, a_kezako_serve + "?model=colours", drawn(), SHEET)
    a_phone.evaluate("window.refusal = 'AbortError'")
    share(a_phone).click()
    until(lambda: a_phone.evaluate("shared.length") == 1)
    a_phone.wait_for_timeout(300)  # a sentence would come now
    expect(a_phone.get_by_role("alert")).to_be_hidden()
    a_phone.evaluate("window.refusal = 'DataError'")
    assert copied(a_phone).width == WIDTH


def test_without_a_clipboard_it_is_saved(a_phone: Page, a_kezako_serve: str) -> None:
    gone = "delete Navigator.prototype.clipboard"  # as on a page that did not come by HTTPS
    answered(a_phone, a_kezako_serve + "?model=colours", drawn(), gone)
    with a_phone.expect_download() as download:
        share(a_phone).click()
    assert download.value.suggested_filename == "answer.jpg"
    assert Image.open(download.value.path()).width == WIDTH
    expect(a_phone.get_by_role("alert")).to_contain_text("saved in your downloads")
    expect(a_phone.get_by_role("alert")).to_be_hidden()  # by itself: it covers buttons


def test_a_browser_that_draws_noise_is_a_sentence(a_phone: Page, a_kezako_serve: str) -> None:
    noise = """const { getImageData } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.getImageData = function (...place) {
        const image = getImageData.apply(this, place);
        crypto.getRandomValues(image.data);
        return image;
    };"""  # as Firefox does with `privacy.resistFingerprinting`
    answered(a_phone, a_kezako_serve + "?model=colours", drawn(), noise)
    share(a_phone).click()
    expect(a_phone.get_by_role("alert")).to_contain_text("The picture could not be made.")


def test_every_kind_of_answer(a_phone: Page, a_kezako_serve: str) -> None:
    answered(a_phone, a_kezako_serve + "?model=tints", drawn())  # several labels at once
    copied(a_phone)
    assert a_phone.locator(".kezako > .widget-label").inner_text() in texts(a_phone)
    a_phone.goto(a_kezako_serve + "?model=bears")
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    choose(a_phone, encoded(Image.effect_noise((300, 200), 90).convert("RGB"), "JPEG"))
    expect(a_phone.locator(".kezako > .widget-label")).to_have_text("None of these")
    copied(a_phone)
    said = texts(a_phone)
    assert said[0] == "None of these"
    assert said[1].startswith("It does not look like")
    assert not any("%" in text for text in said)  # what is folded away is no answer


def test_the_heat_map_is_shared_while_it_is_on_show(a_phone: Page, a_kezako_serve: str) -> None:
    photo = Image.new("RGB", (320, 320), (210, 210, 210))
    photo.paste((210, 30, 30), (0, 0, 80, 80))
    answered(a_phone, a_kezako_serve + "?model=looking", encoded(photo, "JPEG"))
    before = copied(a_phone)
    a_phone.get_by_role("button", name="Why?").click()
    expect(a_phone.get_by_role("button", name="Hide")).to_be_visible()
    expect(a_phone.locator(".kezako-preview img")).to_have_attribute(
        "src", re.compile("^data:image/jpeg")
    )
    after = copied(a_phone)
    place = (EDGE + 120, EDGE + 120)
    assert not close_to(after.getpixel(place), before.getpixel(place))  # type: ignore[arg-type]


NAMES = {
    "Hebrew": "זה נראה כמו דוב גריזלי, או אולי דוב חום מאוד גדול שאיש לא ראה מעולם",
    "Japanese": "これは北海道のヒグマと本州のツキノワグマのどちらかだと思われます。" * 12,
    "one long word": "Donaudampfschifffahrtsgesellschaftskapitän" * 12,
    "hostile": "<img src=x onerror=alert(1)> " * 40,
}


@pytest.mark.parametrize("kind", NAMES)
def test_any_text_fits(kind: str, a_phone: Page, a_kezako_serve: str) -> None:
    answered(a_phone, a_kezako_serve + "?model=colours", drawn())
    a_phone.evaluate(
        """name => {
            document.querySelector('.kezako > .widget-label').textContent = name;
            for (const span of document.querySelectorAll('.kezako-bars span'))
                span.textContent = name;
        }""",
        NAMES[kind],
    )
    assert copied(a_phone).height < 1700
    drawn_texts = a_phone.evaluate("texts")
    for one in drawn_texts:
        left = one["x"] - one["width"] if one["x"] > WIDTH / 2 else one["x"]
        assert left >= EDGE - 1
        assert left + one["width"] <= WIDTH - EDGE + 1, one
    headline = [one for one in drawn_texts if one["text"].rstrip("…")[:4] in NAMES[kind]]
    assert len(headline) >= 2
    assert all(one["way"] == ("rtl" if kind == "Hebrew" else "ltr") for one in headline)
    if kind == "Hebrew":
        assert headline[0]["x"] == WIDTH - EDGE
        assert " ".join(one["text"] for one in headline[:2]).startswith(NAMES[kind][:30])
    else:
        assert any(one["text"].endswith("…") for one in headline)


def test_the_address_tells_no_token(a_phone: Page, a_kezako_serve: str) -> None:
    answered(a_phone, a_kezako_serve + "?model=colours&token=secret&x=1", drawn())
    copied(a_phone)
    assert re.fullmatch(r"127\.0\.0\.1:\d+\?model=colours", texts(a_phone)[-1])
    assert not any("secret" in text for text in texts(a_phone))


def test_it_stays_hidden_where_nobody_would_hear_it(a_desk: Page, a_voila: str) -> None:  # noqa: F811
    a_desk.goto(a_voila + "?model=colours")
    with a_desk.expect_file_chooser() as chooser:
        a_desk.locator(".widget-upload").click()
    file: Any = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": drawn()}
    chooser.value.set_files(file)
    expect(a_desk.locator(".kezako-bars li").first).to_be_visible()
    for action in ("share", "camera"):
        button = a_desk.locator(f"[data-kezako-action={action}]")
        expect(button).to_be_attached()
        expect(button).to_be_hidden()


def test_axe_finds_nothing(a_phone: Page, axe: str, a_kezako_serve: str) -> None:  # noqa: F811
    a_phone.emulate_media(reduced_motion="reduce")
    answered(a_phone, a_kezako_serve + "?model=looking", drawn())
    a_phone.context.grant_permissions(["clipboard-write"])
    share(a_phone).click()
    expect(a_phone.get_by_role("alert")).to_be_visible()
    a_phone.evaluate(axe)
    parts = "rules => axe.run(['.kezako-share', '#kezako-notice'], { runOnly: rules })"
    assert a_phone.evaluate(parts, RULES)["violations"] == []


@pytest.mark.parametrize("screen", [(390, 664), (320, 568), (1280, 800)])
@pytest.mark.parametrize("photo", [(900, 600), (600, 900)])
def test_the_row_of_buttons_is_in_sight(
    screen: tuple[int, int], photo: tuple[int, int], a_desk: Page, a_kezako_serve: str
) -> None:
    a_desk.set_viewport_size({"width": screen[0], "height": screen[1]})
    answered(a_desk, a_kezako_serve + "?model=looking", drawn(size=photo))
    for name in ("Another photo", "Why?", "Share"):
        box = a_desk.get_by_role("button", name=name, exact=True).bounding_box()
        assert box
        assert box["y"] + box["height"] <= screen[1]
        assert min(box["width"], box["height"]) >= 44
        assert box["x"] + box["width"] <= screen[0]
