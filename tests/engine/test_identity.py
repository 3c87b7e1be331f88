from modules.engine.identity import EngineIdentity


def test_the_launcher_says_which_engine_a_process_is() -> None:
    told = {"STEADY_ENGINE": "2", "STEADY_INSTANCE": "5e8a", "STEADY_OTHER_ENGINES": "1 3"}
    identity = EngineIdentity.from_environment(told)
    assert identity == EngineIdentity("2", "5e8a", frozenset({"1", "3"}))
    assert identity.claims_as == "2/5e8a"


def test_an_engine_that_was_started_by_hand_is_the_first_and_alone() -> None:
    one, other = EngineIdentity.from_environment({}), EngineIdentity.from_environment({})
    assert (one.id, one.others) == ("1", frozenset())
    assert one.process != other.process
