"""Learners, and gathered pictures for them."""

from tests.learners import (  # noqa: F401  fixtures for the tests of this folder
    a_gathered_recipe,
    an_untrained_learner,
    some_faces,
    the_starter,
)
