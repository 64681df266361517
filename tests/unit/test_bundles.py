"""What the trainer writes is what publish reads."""

from __future__ import annotations

import pyarrow as pa

from models_offline import bundle as trainer
from warehouse.pipeline import bundles


def test_both_sides_name_the_same_format_files_and_columns():
    assert (trainer.FORMAT, trainer.SCHEMA_VERSION) == (bundles.FORMAT, bundles.SCHEMA_VERSION)
    assert set(trainer.SCHEMAS) == set(bundles.FILES)
    for file, columns in trainer.SCHEMAS.items():
        assert set(columns) == set(bundles.FILES[file].columns), file
        bundles._check_columns(file, pa.schema(columns))
