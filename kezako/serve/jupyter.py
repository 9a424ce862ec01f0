"""A Jupyter server extension: allows large photos for the page at /voila/render.

`etc/jupyter/jupyter_server_config.d/kezako.json` enables it wherever Kezako is installed.
"""

from __future__ import annotations

from jupyter_server.serverapp import ServerApp

from kezako.serve import MAX_MESSAGE


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    server.web_app.settings.setdefault("websocket_max_message_size", MAX_MESSAGE)
