"""Fixtures: jobs of an engine in this process whose passes are given."""

import pytest

from tests.engine.own_engine import Engine
from tests.engine.work.hires_jobs import Hires


@pytest.fixture
def hires(engine: Engine) -> Hires:
    return Hires(engine)
