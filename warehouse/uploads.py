"""Files that people send: each in a folder of its own under NOVA_HOME, gone after use or a day."""

from __future__ import annotations

import csv
import errno
import logging
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from config import get_settings
from domain.erp import SUFFIXES
from domain.errors import InvalidInput, NoRoom
from warehouse.scratch import older_than

KEPT_SECONDS = 24 * 3600
MAX_NAME = 100
MAPPING = "mapping.toml"
REJECTS = "rejects"
"""What a check refused of the file, as CSV; no ERP file has such a name."""
NAME = re.compile(r"[0-9a-f]{32}")
UNSAFE = re.compile(r"[^\w .()-]|^[ .~-]+")
DISK_REFUSES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)

log = logging.getLogger(__name__)


def place() -> Path:
    """The folder of all uploads; made on first use, for this account alone."""
    folder = get_settings().home / "uploads"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def keep(file: IO[bytes], name: str, mapping: IO[bytes] | None = None) -> str:
    """Keeps a file, and the mapping that goes with it; gives the upload's number.

    The folder's name is ours. Of the sender's name the last part stays, in safe letters: it tells
    the kind. Raises InvalidInput for a name that no ERP file has, NoRoom; nothing is kept then.
    """
    shown = safe_name(name)
    sweep()
    upload = secrets.token_hex(16)
    folder = place() / upload
    try:
        with disk_may_refuse():
            folder.mkdir(mode=0o700)
            _copy(file, folder / shown)
            if mapping is not None:
                _copy(mapping, folder / MAPPING)
    except BaseException:
        remove(upload)
        raise
    return upload


@contextmanager
def disk_may_refuse() -> Iterator[None]:
    """Translates what says that nothing can be written into NoRoom, with a line in the log."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_REFUSES:
            raise
        log.error("an upload cannot be kept: %s", error)
        raise NoRoom("There is no room for the file on the server.") from error


def safe_name(name: str) -> str:
    """The last part of a path in letters that no file system minds. Raises InvalidInput."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    suffix = next((one for one in sorted(SUFFIXES, key=len) if last.lower().endswith(one)), None)
    if suffix is None:
        reason = f"must be one of {', '.join(SUFFIXES)}"
        raise InvalidInput(f"file {reason}.", fields={"file": reason})
    stem = UNSAFE.sub("_", last[: -len(suffix)])[:MAX_NAME]
    return f"{stem or '_'}{suffix}"


def files_of(upload: str) -> tuple[Path, Path | None]:
    """The kept file and its mapping, if any. Raises InvalidInput when they are gone."""
    folder = place() / upload
    found = _sent(upload)
    if not NAME.fullmatch(upload) or not found:
        raise InvalidInput("The file is no longer kept; send it again.", fields={"file": "is gone"})
    mapping = folder / MAPPING
    return found[0], mapping if mapping.is_file() else None


def is_kept(upload: str | None) -> bool:
    """True while the upload's file is there."""
    return upload is not None and bool(_sent(upload))


def _sent(upload: str) -> list[Path]:
    ours = (MAPPING, REJECTS)
    return [path for path in (place() / upload).glob("*") if path.name not in ours]


def add_rejects(upload: str, rows: Iterable[Sequence[Any]]) -> None:
    """Keeps refused rows beside the file that they are of."""
    with (place() / upload / REJECTS).open("a", newline="", encoding="utf-8") as output:
        csv.writer(output).writerows(rows)


def has_rejects(upload: str | None) -> bool:
    """True while rows are kept that a check of the upload has refused."""
    return upload is not None and (place() / upload / REJECTS).is_file()


def rejects(upload: str) -> Iterator[list[str]]:
    """The rows as they were added, each value a text."""
    with (place() / upload / REJECTS).open(newline="", encoding="utf-8") as kept:
        yield from csv.reader(kept)


def remove_sent(upload: str) -> None:
    """Removes an upload's file and mapping; what a check refused of it stays for its day."""
    if not has_rejects(upload):
        remove(upload)
        return
    for path in (*_sent(upload), place() / upload / MAPPING):
        path.unlink(missing_ok=True)


def remove(upload: str) -> None:
    """Removes an upload's files."""
    if NAME.fullmatch(upload):
        shutil.rmtree(place() / upload, ignore_errors=True)


def sweep() -> None:
    """Removes what was kept for more than a day."""
    for folder in older_than(KEPT_SECONDS, place()):
        remove(folder.name)


def _copy(source: IO[bytes], target: Path) -> None:
    with target.open("xb") as output:
        shutil.copyfileobj(source, output, 1 << 20)
