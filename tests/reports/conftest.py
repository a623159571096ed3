"""The shipped templates, compiled once for the whole room."""

from __future__ import annotations

import pytest

from assistant.rendering import Templates
from tests.reports.sample_files import TEMPLATES


@pytest.fixture(scope="session")
def templates() -> Templates:
    """What the package ships."""
    return Templates(TEMPLATES)
