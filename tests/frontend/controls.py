"""A notebook with every control there is; what a visitor does to one is said in a label."""

from __future__ import annotations

from pathlib import Path

import nbformat

SOURCE = """
import datetime as dt
import ipywidgets as w

said = w.Label("nothing yet")

def tell(widget, attribute="value"):
    name = type(widget).__name__
    def say(change):
        said.value = f"{name}: {change['new']!r}"
    widget.observe(say, attribute)
    if hasattr(widget, "description"):
        widget.description = name
    return widget

word = dict(options=["one", "two", "three"])
inputs = [tell(x) for x in (
    w.Text("start"), w.Textarea("start"), w.Password(), w.Combobox(**word),
    w.IntText(1), w.BoundedIntText(1, min=0, max=9), w.FloatText(1.5),
    w.BoundedFloatText(1.5, max=2),
    w.Checkbox(), w.ToggleButton(),
)]
sliders = [tell(x) for x in (
    w.IntSlider(3), w.FloatSlider(0.5, max=1, step=0.01), w.FloatLogSlider(10, base=10),
    w.IntRangeSlider(value=(2, 8), max=10), w.FloatRangeSlider(value=(0.2, 0.8), max=1, step=0.1),
    w.SelectionSlider(**word), w.SelectionRangeSlider(index=(0, 1), **word),
    w.IntSlider(5, orientation="vertical"),
)]
choices = [tell(x) for x in (
    w.Dropdown(**word), w.RadioButtons(**word), w.Select(**word), w.SelectMultiple(**word),
    w.ToggleButtons(**word),
)]
moments = [tell(x) for x in (
    w.DatePicker(value=dt.date(2024, 2, 3)), w.TimePicker(value=dt.time(4, 5)),
    w.NaiveDatetimePicker(value=dt.datetime(2024, 2, 3, 4, 5)), w.ColorPicker(value="red"),
)]
lists = [tell(x) for x in (
    w.TagsInput(value=["a"], allowed_tags=["a", "b"]), w.ColorsInput(value=["red"]),
    w.IntsInput(value=[1]), w.FloatsInput(value=[1.5]),
)]
shown = [
    w.IntProgress(30, description="Progress"), w.FloatProgress(0.5, max=1, bar_style="success"),
    w.Valid(True, description="Valid"), w.HTML("<b>HTML</b>"), w.HTMLMath("<i>math</i>"),
    w.Audio(value=b"", format="wav", autoplay=False), w.Video(value=b"", autoplay=False),
    w.Controller(),
]
source, target = w.IntSlider(1, description="Source"), w.IntText(description="Target")
link = w.jslink((source, "value"), (target, "value"))
play = w.Play(max=3, interval=30)
counted = w.IntText(description="Counted")
counting = w.jsdlink((play, "value"), (counted, "value"))

output = w.Output()
printer = w.Button(description="Print", icon="check")
@output.capture()
def show(_):
    print("one line")
    print("another line")
    display(w.Label("a widget inside"))
printer.on_click(show)
breaker = w.Button(description="Break")
@output.capture(clear_output=True)
def fail(_):
    raise ZeroDivisionError("a secret")
breaker.on_click(fail)

tab = tell(w.Tab([w.Label("first page"), w.Label("second page")], titles=["First", "Second"]),
           "selected_index")
fold = tell(w.Accordion([w.Label("folded")], titles=["Fold"]), "selected_index")
stack = w.Stack([w.Label("below"), w.Label("above")], selected_index=1)
layouts = [
    w.GridBox([w.Label("grid")]), w.HBox([w.Label("left"), w.Label("right")]),
    w.AppLayout(center=w.Label("centre")), w.TwoByTwoLayout(top_left=w.Label("corner")),
]
both = [source, target, play, counted, printer, breaker, output, tab, fold, stack]
w.VBox([said, *inputs, *sliders, *choices, *moments, *lists, *shown, *both, *layouts])
"""
BROKEN = "raise RuntimeError('a secret of the maker')"


def write(folder: Path) -> Path:
    """The notebook, in `folder`; its last cell fails."""
    cells = [
        nbformat.v4.new_markdown_cell("# Controls\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
        nbformat.v4.new_code_cell(SOURCE),
        nbformat.v4.new_code_cell("print('printed <b>', 1 + 1)\n{'a': 1}"),
        nbformat.v4.new_code_cell(BROKEN),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    path = folder / "controls.ipynb"
    nbformat.write(notebook, path)
    return path
