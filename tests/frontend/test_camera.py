"""The camera: a live picture on a desk, the phone's own camera where its chooser lacks one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FileChooser, Page, expect

from tests.browser import CHROMIUM
from tests.frontend.test_axe import RULES, RUN, axe  # noqa: F401
from tests.frontend.test_first_sight import opened_without_script
from tests.page.photos import drawn
from tests.servers import until

pytestmark = pytest.mark.browser

SIZE = (1280, 720)  # pixels of the camera
RED, BLUE = (76, 85, 255), (29, 255, 107)  # as Y, U, V
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/140.0 Mobile"
FIREFOX = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari"
# Keeps every track that the camera gave; what is stopped is counted across pages.
WATCH = """window.tracks = [];
const { getUserMedia } = MediaDevices.prototype;
MediaDevices.prototype.getUserMedia = async function (wanted) {
    if (window.refusal) throw new DOMException('No.', window.refusal);
    const stream = await getUserMedia.call(this, wanted);
    if (window.patience) await window.patience;
    tracks.push(...stream.getTracks());
    return stream;
};
const { stop } = MediaStreamTrack.prototype;
MediaStreamTrack.prototype.stop = function () {
    localStorage.stopped = Number(localStorage.stopped ?? 0) + 1;
    return stop.call(this);
};"""
DARK = "tracks.length > 0 && tracks.every(track => track.readyState === 'ended')"


@pytest.fixture(scope="module")
def a_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera sees: red at the left, blue at the right."""
    film = tmp_path_factory.mktemp("camera") / "film.y4m"
    film.write_bytes(red_and_blue())
    return film


@pytest.fixture(scope="module")
def a_browser_with_a_camera(a_browser: Browser, a_film: Path) -> Iterator[Browser]:
    """Chromium, whose visitor allows the camera."""
    yield from launched(a_browser, a_film, "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def a_browser_that_refuses(a_browser: Browser, a_film: Path) -> Iterator[Browser]:
    """Chromium, whose visitor does not allow it."""
    yield from launched(a_browser, a_film, "--use-fake-ui-for-media-stream=deny")


def launched(another: Browser, film: Path, visitor: str) -> Iterator[Browser]:
    browser = another.browser_type.launch(
        executable_path=next(filter(None, map(shutil.which, CHROMIUM)), None),
        args=[
            "--no-sandbox",
            visitor,
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
            "--host-resolver-rules=MAP kezako.test 127.0.0.1",
        ],
    )
    yield browser
    browser.close()


def red_and_blue() -> bytes:
    """Two frames of a film without compression (YUV4MPEG2, 4:2:0)."""
    width, height = SIZE
    planes = []
    for plane in range(3):
        step = 2 if plane else 1
        left, right = (bytes([colour[plane]]) * (width // step // 2) for colour in (RED, BLUE))
        planes.append((left + right) * (height // step))
    frame = b"FRAME\n" + b"".join(planes)
    return f"YUV4MPEG2 W{width} H{height} F10:1 Ip C420jpeg\n".encode() + 2 * frame


def visit(browser: Browser, **settings: Any) -> tuple[BrowserContext, Page]:
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **settings})
    page = context.new_page()
    page.add_init_script(WATCH)
    return context, page


@pytest.fixture
def a_desk_with_a_camera(a_browser_with_a_camera: Browser) -> Iterator[Page]:
    context, page = visit(a_browser_with_a_camera)
    yield page
    context.close()


@pytest.fixture
def a_desk_that_forbids_it(a_browser_that_refuses: Browser) -> Iterator[Page]:
    context, page = visit(a_browser_that_refuses)
    yield page
    context.close()


@pytest.fixture
def an_android_phone(a_browser_with_a_camera: Browser) -> Iterator[Page]:
    context, page = a_phone_of(a_browser_with_a_camera, ANDROID)
    yield page
    context.close()


def a_phone_of(browser: Browser, user_agent: str) -> tuple[BrowserContext, Page]:
    return visit(
        browser,
        viewport={"width": 390, "height": 664},
        is_mobile=True,
        has_touch=True,
        user_agent=user_agent,
    )


def opens(page: Page, address: str) -> None:
    page.goto(address + "?model=colours")
    expect(page.locator("html")).to_have_attribute("data-kezako", "live")


def button(page: Page) -> Any:
    return page.locator("[data-kezako-action=camera]")


def shutter(page: Page) -> Any:
    return page.get_by_role("button", name="Take the photo")


def opens_camera(page: Page, address: str) -> None:
    opens(page, address)
    button(page).click()
    expect(shutter(page)).to_be_enabled()
    assert page.evaluate("tracks[0].readyState") == "live"


def answer(page: Page) -> Any:
    return page.locator(".kezako > .widget-label")


def dark(page: Page) -> None:
    """The camera's light is out."""
    until(lambda: page.evaluate(DARK), "The camera is on.")


def test_one_press_takes_the_photo(a_desk_with_a_camera: Page, a_kezako_serve: str) -> None:
    page = a_desk_with_a_camera
    code: list[str] = []
    page.on("request", lambda request: code.append(request.url))
    opens(page, a_kezako_serve)
    assert not any("/camera-" in url for url in code), "fetched before it was pressed"
    button(page).click()
    expect(shutter(page)).to_be_enabled()
    assert any("/static/camera-" in url for url in code)
    expect(page.locator("video")).to_have_class("kezako-mirror")  # a face expects a mirror
    shutter(page).click()
    expect(answer(page)).to_contain_text("This is")
    expect(page.get_by_role("dialog")).to_have_count(0)
    dark(page)
    photo = page.locator(".kezako-preview img")
    assert photo.evaluate("img => [img.naturalWidth, img.naturalHeight]") == list(SIZE)
    red, blue = photo.evaluate(
        """img => {
            const pen = document.createElement('canvas').getContext('2d');
            pen.drawImage(img, 0, 0, 300, 150);
            return [[75, 75], [225, 75]].map(([x, y]) => [...pen.getImageData(x, y, 1, 1).data]);
        }"""
    )
    assert red[0] > 200 > red[2]  # the photo is not mirrored
    assert blue[2] > 200 > blue[0]


def test_the_keyboard_can_do_it(a_desk_with_a_camera: Page, a_kezako_serve: str) -> None:
    page = a_desk_with_a_camera
    opens(page, a_kezako_serve)
    page.locator(".widget-upload input").focus()
    page.keyboard.press("Tab")
    expect(button(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(shutter(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button(page)).to_be_focused()
    dark(page)
    page.keyboard.press("Enter")
    expect(shutter(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(answer(page)).to_contain_text("This is")
    expect(page.get_by_role("button", name="Another photo")).to_be_focused()


def test_another_photo_comes_from_the_camera_again(
    a_desk_with_a_camera: Page, a_kezako_serve: str
) -> None:
    page = a_desk_with_a_camera
    opens_camera(page, a_kezako_serve)
    shutter(page).click()
    another = page.get_by_role("button", name="Another photo")
    another.click()
    expect(shutter(page)).to_be_enabled()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with page.expect_file_chooser():  # who closed it may want a file
        another.click()
    dark(page)


def test_the_light_goes_out_when_the_page_is_left(
    a_desk_with_a_camera: Page, a_kezako_serve: str
) -> None:
    page = a_desk_with_a_camera
    opens_camera(page, a_kezako_serve)
    assert page.evaluate("localStorage.stopped") is None
    page.goto(a_kezako_serve + "healthz")
    assert page.evaluate("localStorage.stopped") == "1"


def test_closed_before_it_was_allowed(a_desk_with_a_camera: Page, a_kezako_serve: str) -> None:
    page = a_desk_with_a_camera
    opens(page, a_kezako_serve)
    page.evaluate("void (window.patience = new Promise(allow => (window.allow = allow)))")
    button(page).click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("Opening the camera")
    expect(shutter(page)).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate("allow()")
    dark(page)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_camera_that_is_pulled_out(a_desk_with_a_camera: Page, a_kezako_serve: str) -> None:
    page = a_desk_with_a_camera
    opens_camera(page, a_kezako_serve)
    page.evaluate("tracks[0].dispatchEvent(new Event('ended'))")
    expect(page.get_by_role("alert")).to_contain_text("The camera does not answer.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    dark(page)


def test_a_refusal_is_a_sentence(a_desk_that_forbids_it: Page, a_kezako_serve: str) -> None:
    page = a_desk_that_forbids_it
    opens(page, a_kezako_serve)
    button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("The camera is not allowed here.")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("NotReadableError", "The camera does not answer."),
        ("NotFoundError", "No camera was found."),
        ("TypeError", "The camera cannot be used in this browser."),
    ],
)
def test_each_trouble_is_a_sentence(
    name: str, sentence: str, a_desk_with_a_camera: Page, a_kezako_serve: str
) -> None:
    page = a_desk_with_a_camera
    opens(page, a_kezako_serve)
    page.evaluate("name => (window.refusal = name)", name)
    button(page).click()
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    page.evaluate("window.refusal = null")
    button(page).click()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(shutter(page)).to_be_enabled()  # it may be tried again


def test_it_is_not_offered_without_a_camera(a_desk: Page, a_kezako_serve: str) -> None:
    opens(a_desk, a_kezako_serve)
    expect(button(a_desk)).to_have_count(0)


def test_it_is_not_offered_where_it_is_turned_off(
    a_desk_with_a_camera: Page, a_kezako_serve: str
) -> None:
    page = a_desk_with_a_camera
    release = opened_without_script(page, a_kezako_serve + "?model=colours")
    expect(page.locator("#kezako-page")).to_be_attached()
    page.evaluate(
        """() => {
            const settings = document.getElementById('kezako-page');
            const told = JSON.parse(settings.textContent);
            settings.textContent = JSON.stringify({ ...told, camera: false });
        }"""
    )
    release()
    expect(page.locator("html")).to_have_attribute("data-kezako", "live")
    expect(button(page)).to_have_count(0)


def test_without_https_only_a_phones_own_camera_is_offered(
    a_browser_with_a_camera: Browser, a_kezako_serve: str
) -> None:
    plain = a_kezako_serve.replace("127.0.0.1", "kezako.test")
    context, page = visit(a_browser_with_a_camera)
    page.goto(plain + "?model=colours", wait_until="commit")
    expect(page.locator(".widget-upload")).to_be_visible()
    assert not page.evaluate("isSecureContext")
    expect(button(page)).to_have_count(0)
    context.close()
    context, page = a_phone_of(a_browser_with_a_camera, ANDROID)
    page.goto(plain + "?model=colours", wait_until="commit")
    expect(button(page)).to_be_visible()
    context.close()


def test_android_gets_its_own_camera(an_android_phone: Page, a_kezako_serve: str) -> None:
    page = an_android_phone
    opens(page, a_kezako_serve)
    expect(button(page)).to_have_text("Take a photo")

    def taken(chooser: FileChooser) -> None:
        assert chooser.element.get_attribute("capture") == "environment"
        assert chooser.element.get_attribute("accept") == "image/*"
        photo: Any = {"name": "taken.jpg", "mimeType": "image/jpeg", "buffer": drawn()}
        chooser.set_files(photo)
        expect(answer(page)).to_have_text("This is red.")

    with page.expect_file_chooser() as chooser:
        button(page).click()
    taken(chooser.value)
    another = page.get_by_role("button", name="Another photo")
    expect(another).to_be_enabled()
    with page.expect_file_chooser() as chooser:
        another.click()
    taken(chooser.value)
    expect(another).to_be_enabled()
    with page.expect_file_chooser() as chooser:
        another.click()
    chooser.value.element.dispatch_event("cancel")  # who closed it may want the gallery
    with page.expect_file_chooser() as chooser:
        another.click()
    assert chooser.value.element.get_attribute("capture") is None


@pytest.mark.parametrize("user_agent", [IPHONE, FIREFOX])
def test_a_chooser_that_has_the_camera_needs_no_button(
    user_agent: str, a_browser_with_a_camera: Browser, a_kezako_serve: str
) -> None:
    context, page = a_phone_of(a_browser_with_a_camera, user_agent)
    opens(page, a_kezako_serve)
    expect(button(page)).to_have_count(0)
    with page.expect_file_chooser() as chooser:
        page.locator(".widget-upload").click()
    assert str(chooser.value.element.get_attribute("accept")).startswith("image/*,")
    # With it, the phone would offer nothing but the camera.
    assert chooser.value.element.get_attribute("capture") is None
    context.close()


def test_nothing_moves_when_it_is_offered(a_desk_with_a_camera: Page, a_kezako_serve: str) -> None:
    page = a_desk_with_a_camera
    release = opened_without_script(page, a_kezako_serve + "?model=colours")
    upload = page.locator(".widget-upload")
    expect(upload).to_be_visible()
    before = upload.bounding_box()
    release()
    expect(button(page)).to_be_visible()
    assert upload.bounding_box() == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(390, 664), (320, 568), (1280, 800)])
def test_axe_finds_nothing(
    scheme: Any,
    size: tuple[int, int],
    a_desk_with_a_camera: Page,
    axe: str,  # noqa: F811
    a_kezako_serve: str,
) -> None:
    page = a_desk_with_a_camera
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    opens(page, a_kezako_serve)
    page.evaluate(axe)
    assert page.evaluate(RUN, RULES)["violations"] == []
    button(page).click()
    expect(shutter(page)).to_be_enabled()
    assert page.evaluate(RUN, RULES)["violations"] == []
    for name in ("Take the photo", "Close"):
        box = page.get_by_role("dialog").get_by_role("button", name=name).bounding_box()
        assert box
        assert box["height"] >= 44
        assert box["y"] + box["height"] <= size[1]
