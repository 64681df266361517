"""An OpenAI-compatible chat endpoint, asked for a few words in a fixed shape.

Only offline steps use it. Whatever goes wrong is NoAnswer: a text is never worth a failed run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

ANSWER_BYTES = 200_000
AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)
"""Statuses after which the same may be asked again."""


class NoAnswer(Exception):
    """The endpoint gave nothing that can be used; says why."""


@dataclass(frozen=True)
class ChatModel:
    """Where the model is, and how long to wait for it: `timeout` seconds for an answer, `attempts`
    of them, `backoff` seconds before the second one and twice as long before each that follows."""

    base_url: str
    model: str
    api_key: str | None = None
    timeout: float = 30.0
    attempts: int = 3
    backoff: float = 1.0
    max_tokens: int = 500

    def write(self, system: str, data: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that the model makes of `data`, as `schema` (JSON schema) describes it;
        the caller checks what it says. Raises NoAnswer."""
        body = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": json.dumps(data, ensure_ascii=False)},
            ],
            "temperature": 0,
            "max_tokens": self.max_tokens,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "narrative", "strict": True, "schema": schema},
            },
        }
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(self.backoff * 2 ** (attempt - 1))
            try:
                return self._asked(body)
            except _Again as problem:
                said = str(problem)
        raise NoAnswer(said)

    def _asked(self, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        try:
            with requests.post(
                f"{self.base_url.rstrip('/')}/chat/completions",
                json=body,
                headers=headers,
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                if response.status_code in AGAIN:
                    raise _Again(f"it answers {response.status_code}")
                if response.status_code != 200:
                    raise NoAnswer(f"it answers {response.status_code}")
                return _content(self._read(response), self.max_tokens)
        except requests.RequestException as error:
            raise _Again(_said(error)) from None

    def _read(self, response: requests.Response) -> bytes:
        """The body, if it is short and comes in time; a server may drip for ever."""
        deadline = time.monotonic() + self.timeout
        read = b""
        for part in response.iter_content(8192):
            read += part
            if len(read) > ANSWER_BYTES:
                raise NoAnswer("its answer is too long")
            if time.monotonic() > deadline:
                raise _Again("it takes too long")
        return read


def _said(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "it takes too long"
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached"
    return type(error).__name__


class _Again(Exception):
    """Failed in a way that may pass."""


def _content(body: bytes, max_tokens: int) -> dict[str, Any]:
    """The object inside the first choice's message."""
    try:
        choice = json.loads(body)["choices"][0]
        if choice.get("finish_reason") == "length":
            raise NoAnswer(f"its answer is longer than {max_tokens} tokens")
        found = json.loads(choice["message"]["content"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise NoAnswer("its answer is not the JSON asked for") from None
    if not isinstance(found, dict):
        raise NoAnswer("its answer is not the JSON asked for")
    return found
