"""Options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    chaos = parser.getgroup("chaos", "the random test of tests/chaos")
    chaos.addoption("--chaos-minutes", type=float, default=None, help="disturb for so long instead of a bit over one")
    chaos.addoption("--chaos-seed", type=int, default=None, help="repeat the plan of this seed")
