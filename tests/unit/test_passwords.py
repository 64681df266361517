"""Passwords: what is taken, what is refused, and that nobody's hash costs as much as a real one."""

from __future__ import annotations

import pytest

from auth import passwords
from auth.passwords import COST, NOBODYS, hash_password, matches
from domain.errors import InvalidInput


def test_a_password_matches_its_own_hash_only() -> None:
    kept = hash_password("uma-senha-boa")
    assert matches("uma-senha-boa", kept)
    assert not matches("uma-senha-boa ", kept) and not matches("", kept)
    assert not matches("uma-senha-boa", None)


def test_hashes_cost_the_same_for_everybody() -> None:
    assert COST >= 12
    for kept in (NOBODYS, hash_password("uma-senha-boa")):
        assert kept.split("$")[2] == str(COST)


@pytest.mark.parametrize(
    "password", ["curta-7", "x" * 73, "é" * 37, "com\0nulo-dentro", "a\ud800" * 8]
)
def test_what_bcrypt_would_not_take_whole_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        hash_password(password)
    assert list(refused.value.fields) == ["password"]


def test_72_bytes_are_taken_whole() -> None:
    whole = "éçãõúâ" * 6
    kept = hash_password(whole)
    assert matches(whole, kept) and not matches(whole[:-1] + "a", kept)


def test_made_passwords_differ_and_are_long() -> None:
    made = {passwords.generated() for _ in range(50)}
    assert len(made) == 50 and all(len(one) >= 20 for one in made)
