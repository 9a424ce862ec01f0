"""What lies in the server for a connection that has closed: nothing, and no error."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kezako.serve.websocket import VisitorChannels


@pytest.mark.parametrize(
    ("stream", "bytes_held"),
    [
        (SimpleNamespace(_write_buffer=None, _read_buffer_size=0), 0),  # as tornado leaves it
        (SimpleNamespace(_write_buffer=b"1234", _read_buffer_size=3), 7),
        (None, 0),
    ],
)
def test_it_is_counted(stream: object, bytes_held: int) -> None:
    channels = VisitorChannels.__new__(VisitorChannels)
    channels.ws_connection = SimpleNamespace(stream=stream, _fragmented_message_buffer=None)
    assert channels.held() == bytes_held
