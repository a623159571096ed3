"""What holds for every test: the servers' fixtures, and how hypothesis searches."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import ON_POSTGRESQL, databases, forget_databases

pytest_plugins = ("tests.servers.fixtures",)

# No deadline: a loaded machine is not a bug. In CI the same examples every time, so that a failure is reproducible.
settings.register_profile("here", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests about a SQLite file as such are no tests of PostgreSQL, and are left out where everything runs on that."""
    if not ON_POSTGRESQL:
        return
    left_out = [item for item in items if item.get_closest_marker("sqlite_file")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(autouse=ON_POSTGRESQL)
def _drop_databases() -> Iterator[None]:
    """What a test created on PostgreSQL is gone after it; what its module created stays."""
    before = databases()
    yield
    forget_databases(before)
