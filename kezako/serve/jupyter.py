"""A Jupyter server extension: large photos and the visitor's language at /voila/render.

`etc/jupyter/jupyter_server_config.d/kezako.json` enables it wherever Kezako is installed.
"""

from __future__ import annotations

from jupyter_server.serverapp import ServerApp

from kezako.serve import LANGUAGE_HEADER, MAX_MESSAGE


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _link_jupyter_server_extension(server: ServerApp) -> None:
    """Called before any extension is loaded, so that Voilà's reads what is set here."""
    server.config.VoilaConfiguration.setdefault("http_header_envs", [LANGUAGE_HEADER])


def _load_jupyter_server_extension(server: ServerApp) -> None:
    server.web_app.settings.setdefault("websocket_max_message_size", MAX_MESSAGE)
