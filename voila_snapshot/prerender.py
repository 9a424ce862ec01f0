"""Render widgets on the server, before any script runs.

A widget's initial look depends only on its state. `draw` writes the same elements that the page's
script (`frontend/src/widgets`) will create, so that nothing moves when it does. The widgets of a
classifier's page are rendered completely; others get an empty placeholder. Class names and file
names in a state are untrusted: everything is escaped except the `value` of an `HTML` widget, which
is the notebook's own HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from html import escape
from html.parser import HTMLParser
from typing import Any

State = Mapping[str, Any]
States = Mapping[str, Mapping[str, Any]]  # by model id, as in `Widget.get_manager_state`

PREFIX = "IPY_MODEL_"
DEEPEST = 40  # nested boxes; a cycle would never end
STYLES = {
    "background": "background",
    "button_color": "background-color",
    "font_family": "font-family",
    "font_size": "font-size",
    "font_style": "font-style",
    "font_variant": "font-variant",
    "font_weight": "font-weight",
    "text_color": "color",
    "text_decoration": "text-decoration",
}
BOXES = {
    "BoxView": "widget-container widget-box",
    "VBoxView": "widget-container widget-box widget-vbox",
    "HBoxView": "widget-container widget-box widget-hbox",
    "GridBoxView": "widget-container widget-gridbox",
}
# A script in the notebook's HTML must not run: it would not run later either, through `innerHTML`.
_SCRIPT = re.compile(r"<(/?)script\b", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z_]*")
_VALUE = re.compile(r"[^;{}<>\\]*")
_VOID = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input"),
    *("link", "meta", "source", "track", "wbr"),
}


def resources(states: States) -> dict[str, Any]:
    """What the template `kezako` needs in Voilà's resources to render the widgets of `states`."""
    told = {model_id: _told(entry) for model_id, entry in states.items()}
    language, words = _language(states)
    return {
        "kezako_state": told,
        "kezako_draw": partial(draw, states),
        "kezako_language": language,
        "kezako_words": words,
    }


def _language(states: States) -> tuple[str, dict[str, str]]:
    """The page's language, and its sentences for template and script, from the notebook's HTML.

    An element names them: `<i data-kezako-language="de" data-kezako-words="{…}">`. Empty if none.
    """
    for entry in states.values():
        value = _text(entry["state"], "value")
        if entry["state"].get("_view_name") == "HTMLView" and "data-kezako-language" in value:
            found = _Language()
            found.feed(value)
            return found.code, found.words
    return "", {}


def draw(
    states: States,
    model_id: str,  # of the displayed widget
) -> str:
    """HTML of a widget and its children; empty for an unknown one."""
    return _widget(states, model_id, 0)


def _told(entry: Mapping[str, Any]) -> dict[str, Any]:
    """`entry` for the script, without unset values: a layout has fifty, most of a page's size."""
    state = entry["state"]
    if state.get("_view_name") in ("LayoutView", "StyleView"):
        state = {name: value for name, value in state.items() if value is not None}
    return {**entry, "state": state}


def _widget(states: States, model_id: str, depth: int) -> str:
    state = _state(states, model_id)
    view = state.get("_view_name")
    if not view or depth > DEEPEST:
        return ""
    if view in BOXES:
        children = (_reference(child) for child in state.get("children", ()))
        inside = "".join(_widget(states, child, depth + 1) for child in children if child)
        return _element(states, state, "div", BOXES[view], inside)
    return _DRAWN.get(view, _room)(states, state, model_id)


def _label(states: States, state: State, _id: str) -> str:
    classes = "widget-inline-hbox widget-label"
    return _element(
        states, state, "div", classes, escape(_text(state, "value")), 'aria-live="polite"'
    )


def _html(states: States, state: State, _id: str) -> str:
    value = _SCRIPT.sub(r"<\1template", _text(state, "value"))
    inside = value if _is_whole(value) else ""
    content = f'<div class="widget-html-content">{inside}</div>'
    label = _description(states, state)
    return _element(states, state, "div", "widget-inline-hbox widget-html", label + content)


def _button(states: States, state: State, _id: str) -> str:
    classes = "jupyter-button widget-button" + _mod(state)
    words = escape(_text(state, "description"))
    # Disabled: without the script, pressing it would do nothing.
    return _element(states, state, "button", classes, words, 'type="button" disabled')


def _upload(states: States, state: State, model_id: str) -> str:
    disabled = bool(state.get("disabled"))
    classes = "jupyter-button widget-upload" + _mod(state) + " mod-disabled" * disabled
    description = _text(state, "description")
    count = "" if description.endswith("\n") else f" ({len(state.get('value', ()))})"
    settings = "".join(
        [
            " disabled" * disabled,
            " multiple" * bool(state.get("multiple")),
            f' accept="{escape(_text(state, "accept"))}"',
        ]
    )
    field = f'<input type="file" data-model="{escape(model_id)}"{settings}>'
    return _element(
        states, state, "label", classes, f"<span>{escape(description + count)}</span>{field}"
    )


def _dropdown(states: States, state: State, model_id: str) -> str:
    chosen = state.get("index")
    options = "".join(
        f"<option{' selected' if number == chosen else ''}>{escape(str(name))}</option>"
        for number, name in enumerate(state.get("_options_labels", ()))
    )
    name = escape(_text(state, "description") or "Dropdown")
    disabled = " disabled" * bool(state.get("disabled"))
    field = (
        f'<select data-model="{escape(model_id)}" aria-label="{name}" autocomplete="off"'
        f"{disabled}>{options}</select>"
    )
    classes = "widget-inline-hbox widget-dropdown"
    return _element(states, state, "div", classes, _description(states, state) + field)


def _checkbox(states: States, state: State, model_id: str) -> str:
    hidden = "" if state.get("indent") else ' style="display: none"'
    checked = " checked" * bool(state.get("value")) + " disabled" * bool(state.get("disabled"))
    inside = (
        f'<label class="widget-label"{hidden}>\u200b</label><label class="widget-label-basic">'
        f'<input type="checkbox" data-model="{escape(model_id)}" autocomplete="off"{checked}>'
        f"<span>{escape(_text(state, 'description'))}</span></label>"
    )
    return _element(states, state, "div", "widget-inline-hbox widget-checkbox", inside)


def _output(states: States, state: State, _id: str) -> str:
    return _element(
        states, state, "div", "widget-output", '<div class="jp-OutputArea"></div>'
    )  # its content needs the script


def _room(states: States, state: State, _id: str) -> str:
    return _element(states, state, "div", "kezako-soon", "")


_DRAWN: dict[str, Callable[[States, State, str], str]] = {
    "LabelView": _label,
    "HTMLView": _html,
    "HTMLMathView": _html,
    "ButtonView": _button,
    "FileUploadView": _upload,
    "DropdownView": _dropdown,
    "CheckboxView": _checkbox,
    "OutputView": _output,
}


def _element(
    states: States,
    state: State,
    tag: str,
    classes: str,  # besides `jupyter-widgets` and those set in the notebook
    inside: str,  # HTML
    attributes: str = "",
) -> str:
    own = (name for name in state.get("_dom_classes", ()) if name and not re.search(r"\s", name))
    names = escape(" ".join(("jupyter-widgets", *classes.split(), *own)))
    style = _layout(states, state) + _style(states, state)
    looks = f' style="{escape(style)}"' if style else ""
    space = " " if attributes else ""
    return f'<{tag} class="{names}"{looks}{space}{attributes}>{inside}</{tag}>'


def _description(states: States, state: State) -> str:
    width = _follow(states, state, "style").get("description_width") or ""
    fit = " kezako-fit" if width == "initial" else ""
    if not (description := _text(state, "description")):
        looks = "display: none"
    else:
        looks = _declaration("width", width)
    words = "" if state.get("description_allow_html") else escape(description)
    return f'<label class="widget-label{fit}" style="{escape(looks)}">{words}</label>'


def _layout(states: States, state: State) -> str:
    layout = _follow(states, state, "layout")
    return "".join(
        _declaration(name.replace("_", "-"), value)
        for name, value in layout.items()
        if _NAME.fullmatch(name)
    )


def _style(states: States, state: State) -> str:
    style = _follow(states, state, "style")
    return "".join(_declaration(STYLES[name], style[name]) for name in STYLES if name in style)


def _declaration(name: str, value: object) -> str:
    fine = value is not None and value != "" and _VALUE.fullmatch(str(value))
    return f"{name}: {value}; " if fine else ""


def _mod(state: State) -> str:
    style = state.get("button_style")
    return f" mod-{style}" if style in ("primary", "success", "info", "warning", "danger") else ""


def _follow(states: States, state: State, name: str) -> State:
    return _state(states, _reference(state.get(name)))


def _state(states: States, model_id: str) -> State:
    state: State = states.get(model_id, {}).get("state", {})
    return state


def _reference(value: object) -> str:
    return value.removeprefix(PREFIX) if isinstance(value, str) else ""


def _text(state: State, name: str) -> str:
    return str(state.get(name) or "")


class _Language(HTMLParser):
    """Reads the first element with a `data-kezako-language`."""

    code = ""

    def __init__(self) -> None:
        super().__init__()
        self.words: dict[str, str] = {}

    def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if self.code or not (code := named.get("data-kezako-language")):
            return
        self.code = code
        with suppress(ValueError):
            words = json.loads(named.get("data-kezako-words") or "{}")
            self.words = {key: str(words[key]) for key in words}


class _Balance(HTMLParser):
    """Checks whether every element in a piece of HTML is closed in it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.whole = True

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _attributes: object) -> None:
        self.whole &= tag in _VOID  # browsers treat `<b/>` as an open tag

    def handle_endtag(self, tag: str) -> None:
        self.whole &= bool(self.open) and self.open.pop() == tag


def _is_whole(html: str) -> bool:
    """Whether the HTML is balanced: if not, it would swallow or close parts of the page."""
    parser = _Balance()
    parser.feed(html)
    cut = bool(parser.rawdata.strip()) and "<" in parser.rawdata
    return parser.whole and not parser.open and not cut
