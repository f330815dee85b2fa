"""A memory by identity."""

from streams.valuation.identity_cache import IdentityCache


def test_the_very_object_is_known_and_an_equal_one_is_not() -> None:
    memory: IdentityCache[list[int], str] = IdentityCache()
    key = [1, 2]
    assert memory.put(key, "made") == "made"
    assert memory.get(key) == "made"
    assert memory.get([1, 2]) is None


def test_it_is_bounded_and_keeps_what_it_names_alive() -> None:
    memory: IdentityCache[list[int], int] = IdentityCache(limit=3)
    for number in range(10):
        memory.put([number], number)
        assert memory.get([number]) is None, "the identity of a dead list was given to another"
    keys = [[number] for number in range(3)]
    memory.clear()
    for number, key in enumerate(keys):
        memory.put(key, number)
    assert [memory.get(key) for key in keys] == [0, 1, 2]
    memory.put([], 3)
    assert memory.get(keys[0]) is None
