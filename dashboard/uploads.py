"""Doors that take files: a limit of their own, and the body goes to NOVA_HOME as it comes in."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import IO, Any

from flask import Flask, Request, current_app, request

from config import Settings
from warehouse import uploads

FORM_BYTES = 64 * 1024
"""Room for the form around the file."""


class FileRequest(Request):
    """A request whose files are streamed to our own folder, nameless until they are kept."""

    takes_files = False

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        if self.takes_files:
            return TemporaryFile(dir=uploads.place())
        return super()._get_file_stream(*args, **kwargs)

    def _load_form_data(self) -> None:
        with uploads.disk_may_refuse():
            super()._load_form_data()


def bind(server: Flask, settings: Settings) -> None:
    """Bound before the doors: the check for forgery reads the form already."""
    server.request_class = FileRequest
    limit = (settings.upload_mb << 20) + FORM_BYTES

    def make_room() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if getattr(view, "takes_files", False):
            request.max_content_length = limit
            request.takes_files = True  # type: ignore[attr-defined]

    server.before_request(make_room)
