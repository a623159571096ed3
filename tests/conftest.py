"""What holds for every test: the servers' fixtures, and how hypothesis searches."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.servers.fixtures",)

# No deadline: a loaded machine is not a bug. In CI the same examples every time, so that a failure is reproducible.
settings.register_profile("here", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
