"""Static files as a browser gets them in production."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.core.management import call_command

from config import settings as product


def test_modules_import_each_other_by_the_name_that_carries_their_hash(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = product.STORAGES
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    folder = tmp_path / "streaming" / "player"
    (watch,) = folder.glob("watch.????????????.js")
    imported = re.findall(r'from "\./([^"]+)"', watch.read_text())
    assert imported
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", name) and (folder / name).exists() for name in imported)
