"""Names are found in a prompt by their tokens: the longest first, and wherever these follow one another."""

from modules.prompts.shipped_tokenizers import tokenizer_file_of
from modules.prompts.token_names import TokenNames, names_by_tokens
from modules.prompts.tokens import token_ids


def found(text: str, *names: str) -> tuple[str, ...]:
    file = tokenizer_file_of("clip_l")
    assert file is not None
    (tokens,) = token_ids(file, [text])
    return names_by_tokens(file, names).found_in(tokens)


def test_a_name_is_found_wherever_its_tokens_are() -> None:
    names = ("EasyNegative", "bad-hands-5", "bad", "ng_deepnegative_v1_75t")
    assert found("easynegative, worst quality", *names) == ("EasyNegative",)
    assert found("blurry, BAD-HANDS-5,ng_deepnegative_v1_75t", *names) == ("bad-hands-5", "ng_deepnegative_v1_75t")
    assert found("bad, bad-hands-5 and bad hands", *names) == ("bad", "bad-hands-5")
    assert found("badly, easy negative", *names) == ()
    assert found("(xeasynegative)", "EasyNegative") == ("EasyNegative",)  # in the middle of a word, as A1111 finds it


def test_the_longest_name_at_a_place_counts_and_nothing_in_it_is_found_again() -> None:
    names = TokenNames({"a": [1], "b": [1, 2, 3], "c": [2], "d": [1, 2, 3], "none": []})
    assert names.at([1, 2, 3], 0) == ("b", 3)
    assert names.at([1, 2, 4], 0) == ("a", 1)
    assert names.at([9], 0) is None
    assert names.found_in([1, 2, 3, 9, 2, 1, 1]) == ("b", "c", "a")
    assert names.found_in([]) == ()
