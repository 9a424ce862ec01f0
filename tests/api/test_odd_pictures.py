"""Every odd or broken file gets a label or a sentence, and the server lives."""

from __future__ import annotations

from tests.api.client import Client, assert_error
from tests.api.odd_pictures import Odd, odd_pictures

KINDS = 300
TOGETHER = 8  # in one request


def test_each_gets_a_label_or_a_sentence(an_api: Client) -> None:
    odd = list(odd_pictures())
    assert len({one.data for one in odd}) >= KINDS
    an_api.send(b"")  # the worker has started
    starts = an_api.figure("kezako_worker_starts")
    wrong = []
    for at in range(0, len(odd), TOGETHER):
        some = odd[at : at + TOGETHER]
        response = an_api.send(*(one.data for one in some))
        assert response.status_code == 200, [one.name for one in some]
        for one, answer in zip(some, response.json()["answers"], strict=True):
            if not _is_right(one, answer):
                wrong.append((one.name, answer))
    assert not wrong
    assert an_api.figure("kezako_worker_starts") == starts  # none brought the decoder down


def _is_right(one: Odd, answer: dict[str, object]) -> bool:
    if sentence := answer.get("error"):
        return not one.answered and str(sentence).endswith(".")
    return one.answered is not False and bool(answer["sentence"])


def test_one_at_a_time(an_api: Client) -> None:
    for one in list(odd_pictures())[::60]:
        response = an_api.send_plain(one.data)
        if response.status_code != 200:
            assert_error(response, 422)
