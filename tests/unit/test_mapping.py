"""mapping.toml: what is understood, and what a wrong key is answered with."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from domain.errors import BadMapping
from warehouse.pipeline.mapping import parse_mapping, read_mapping

EXAMPLES = Path(__file__).parents[2] / "examples"
COLUMNS = '[source.columns]\ndate = "D"\nsku = "S"\nquantity = "Q"\n'
DEMAND = f'[[source]]\nkind = "demand"\n{COLUMNS}'


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.glob("*/mapping.toml")), ids=lambda p: p.parent.name
)
def test_the_examples_are_understood(path: Path):
    assert read_mapping(path)


def test_the_fingerprint_tells_mappings_apart():
    (plain,) = parse_mapping(tomllib.loads(DEMAND))
    (same,) = parse_mapping(tomllib.loads(f"# a remark\n{DEMAND}"))
    (other,) = parse_mapping(tomllib.loads(DEMAND.replace('"Q"', '"QTD"')))
    assert plain.fingerprint == same.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("", ["no [[source]]"]),
        ("[source]\nkind = 'demand'", ["[[source]]"]),
        ("sources = 1", ["'sources'", "'source'"]),
        ('[[source]]\nkind = "demanda"', ["kind", "'demanda'", "demand"]),
        (DEMAND.replace("kind", "colour = 1\nkind"), ["'colour'", "not known"]),
        ('[[source]]\nkind = "demand"\n[source.columns]\nsku = "S"', ["'date'", "compulsory"]),
        (DEMAND + 'quantiti = "X"', ["'quantiti'", "'quantity'"]),
        (DEMAND + 'site = "@row"', ["columns.site", "@line"]),
        (DEMAND + "[source.scale]\nquantity = 0", ["scale.quantity", "other than 0"]),
        (
            '[[source]]\nkind = "items"\n[source.columns]\nsku = "S"\n'
            "[source.scale]\npack_size = -1",
            ["scale.pack_size", "positive"],
        ),
        (DEMAND + "[source.scale]\nsku = 2", ["scale", "'sku'"]),
        (DEMAND + '[source.constants]\nsku = "X"', ["'sku'", "twice"]),
        (DEMAND.replace("kind", 'decimal = ";"\nkind'), ["decimal"]),
        (DEMAND.replace("kind", 'encoding = "latim"\nkind'), ["encoding"]),
        (DEMAND.replace("kind", 'encoding = "base64"\nkind'), ["encoding"]),
        (
            DEMAND.replace("kind", 'encoding = "utf-16"\nkind'),
            ["'utf-16'", "save the file as UTF-8"],
        ),
        (DEMAND.replace("kind", 'encoding = "cp500"\nkind'), ["'cp500'", "save the file as UTF-8"]),
        (DEMAND.replace("kind", "header_row = 0\nkind"), ["header_row"]),
        (DEMAND.replace("kind", "extra = true\nkind"), ["extra", "demand"]),
        (DEMAND.replace("kind", 'on_duplicate = "any"\nkind'), ["on_duplicate", "reject"]),
        (
            '[[source]]\nkind = "items"\non_duplicate = "sum"\n[source.columns]\nsku = "S"',
            ["on_duplicate", "'sum'"],
        ),
        (DEMAND + '[[source.drop]]\ncolumn = "A"', ["drop[1]", "exactly one"]),
        (DEMAND + '[[source.drop]]\ncolumn = "A"\nmatches = "("', ["drop[1]", "regular"]),
        (DEMAND + '[[source.keep]]\ncolumn = "A"\nin = "B"', ["keep[1]", "list"]),
        (DEMAND + '[source.concat]\nsite = "A"', ["concat.site"]),
        (DEMAND + '[source.unpivot]\ncolumns = "w(\\\\d+)"\nvalue = "quantity"', ["format"]),
        (
            DEMAND
            + '[source.unpivot]\ncolumns = "w"\nvalue = "quantity"\nstart = "2012"\nstep = "week"',
            ["start"],
        ),
        (
            DEMAND + '[[source.date_order]]\nfirst = "date"\nthen = "date"\notherwise = "clear"',
            ["otherwise", "compulsory"],
        ),
    ],
)
def test_a_wrong_mapping_names_the_key(mapping: str, words: list[str]):
    with pytest.raises(BadMapping) as error:
        parse_mapping(tomllib.loads(mapping))
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("text", ["[[source]\n", f"a={'[' * 5000}"], ids=["open", "deep"])
def test_a_file_that_is_not_toml(tmp_path: Path, text: str):
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    with pytest.raises(BadMapping, match="mapping.toml is not TOML"):
        read_mapping(path)
