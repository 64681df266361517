"""What the Dockerfile says, for replaying its images without an engine."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests import services

COPY = re.compile(r"^COPY (?!--from)(.+) (\S+)$", re.MULTILINE)
ENV = re.compile(r"^ENV (.+)$", re.MULTILINE)


def stage(name: str) -> str:
    """The lines of one stage of the Dockerfile."""
    text = (services.ROOT / "Dockerfile").read_text()
    return text.partition(f" AS {name}\n")[2].partition("\nFROM ")[0]


def told(*stages: str) -> dict[str, str]:
    """The environment that these stages set."""
    words = [word for name in stages for line in ENV.findall(stage(name)) for word in line.split()]
    return dict(word.split("=", 1) for word in words)


def copied(name: str, app: Path) -> Path:
    """Makes /app of the stage at `app`."""
    app.mkdir()
    for sources, target in COPY.findall(stage(name)):
        for source in map(Path, sources.split()):
            place = app / target / (source.name if target.endswith("/") else "")
            if (services.ROOT / source).is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(services.ROOT / source, place, ignore=ignore)
            else:
                shutil.copy(services.ROOT / source, place)
    return app


def files_of(folder: Path) -> set[str]:
    """Everything below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
