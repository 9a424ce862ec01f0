"""`kezako update NAME`: give a trained classifier the words of its recipe, without training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kezako.errors import KezakoError
from kezako.export.card import CONFUSION, README, confusion_png, words_in
from kezako.export.cover import draw_cover
from kezako.lock import locked
from kezako.model.bundle import COVER, Card, amend, read_bundle
from kezako.recipe import Recipe
from kezako.workspace import Workspace


def update(
    recipe: Recipe,
    workspace: Workspace,
    readme: Callable[[Card], str | None],  # the text of README.md; None: it stays as it is
) -> Card:
    """Take title, prompt, answer, names, language and words from `recipe`, atomically.

    Card, cover, README.md and the plot of the confusion matrix are written anew; the model and
    the report stay as they are. Raises `KezakoError` if the recipe has other classes, and
    `BundleError` if there is no classifier.
    """
    folder = workspace.bundle(recipe.name)
    with locked(folder):
        card, examples = read_bundle(folder, lambda card: [each.file for each in card.examples])
        if set(recipe.labels) != set(card.labels):
            raise KezakoError(
                f"The recipe's classes ({', '.join(recipe.labels)}) are not those that the "
                f"classifier was trained on ({', '.join(card.labels)}). "
                f"Train it with: kezako train {recipe.name}"
            )
        card = replace(card, **words_in(recipe))
        written = {COVER: draw_cover(card, list(examples.values()))}
        if (text := readme(card)) is not None:
            written[README] = text.encode("utf-8")
        if (plot := confusion_png(card)) is not None:
            written[CONFUSION] = plot
        return amend(folder, written, card)
