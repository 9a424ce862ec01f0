"""Widgets drawn by the server: what a visitor sees first, with nothing taken for HTML."""

from __future__ import annotations

from typing import Any

from ipywidgets import (
    HTML,
    Button,
    Checkbox,
    Dropdown,
    FileUpload,
    IntSlider,
    Label,
    Layout,
    Output,
    VBox,
    Widget,
)

from voila_snapshot.prerender import draw, resources

HOSTILE = "</label><script>alert(1)</script>"


def drawn(widget: Widget) -> str:
    return draw(Widget.get_manager_state()["state"], widget.model_id)


def test_boxes_hold_their_children_in_order() -> None:
    html = drawn(VBox([Label("first"), Button(description="second")]))
    assert html.startswith('<div class="jupyter-widgets widget-container widget-box widget-vbox"')
    assert html.index("first") < html.index("second")


def test_a_button_rests_until_the_script_is_there() -> None:
    assert " disabled>Press</button>" in drawn(Button(description="Press"))


def test_a_file_can_be_chosen_before_the_script_is_there() -> None:
    html = drawn(FileUpload(accept="image/*", description="Choose\n"))
    assert '<input type="file"' in html
    assert 'accept="image/*"' in html
    assert "(0)" not in html


def test_names_are_no_html() -> None:
    for widget in (
        Label(HOSTILE),
        Button(description=HOSTILE),
        FileUpload(description=HOSTILE),
        Dropdown(options=[HOSTILE], description=HOSTILE),
        Checkbox(description=HOSTILE),
        Button(button_style="", description="x", layout=Layout(width='1px"><script>')),
        Label("x").add_class('"><script>'),
    ):
        assert "<script" not in drawn(widget)


def test_a_makers_html_is_drawn_but_does_not_act() -> None:
    assert "<b>bold</b>" in drawn(HTML("<b>bold</b>"))
    assert "<script" not in drawn(HTML("<SCRIPT>alert(1)</SCRIPT><b>x</b>"))


def test_html_that_would_swallow_the_page_waits_for_the_script() -> None:
    for value in ("<div>", "</div></div>", "<!-- ", "<textarea>", "<style>p {", "<b", "<b/>x"):
        content = drawn(HTML(value)).partition('widget-html-content">')[2]
        assert content == "</div></div>", value


def test_a_layout_cannot_say_more_than_its_setting() -> None:
    html = drawn(Label("x", layout=Layout(width="1px; position: fixed", height="2px")))
    assert "position" not in html
    assert "height: 2px" in html


def test_room_is_left_for_the_rarer_widgets() -> None:
    assert "kezako-soon" in drawn(IntSlider())
    assert "jp-OutputArea" in drawn(Output())


def test_a_circle_of_boxes_ends() -> None:
    state: dict[str, Any] = {
        "a": {"state": {"_view_name": "VBoxView", "children": ["IPY_MODEL_a", "IPY_MODEL_gone"]}}
    }
    assert draw(state, "a").count("<div") < 100


def test_what_is_not_set_is_not_told() -> None:
    label = Label("x", layout=Layout(width="3px"))
    told = resources(Widget.get_manager_state()["state"])["kezako_state"]
    layout = told[label.layout.model_id]["state"]
    assert layout["width"] == "3px"
    assert "height" not in layout
    assert told[label.model_id]["state"]["value"] == "x"
