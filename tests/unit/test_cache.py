from tb_filterviz.store.cache import ByteCache


def test_keeps_what_was_used_last_within_the_limit():
    cache = ByteCache(10)
    cache.put("a", b"1234")
    cache.put("b", b"5678")
    assert cache.get("a") == b"1234"
    cache.put("c", b"90ab")
    assert [cache.get(key) for key in "abc"] == [b"1234", None, b"90ab"]


def test_replacing_does_not_count_twice():
    cache = ByteCache(10)
    for _ in range(5):
        cache.put("a", b"12345")
    cache.put("b", b"12345")
    assert cache.get("a") is not None
    assert cache.get("b") is not None


def test_what_is_larger_than_the_limit_is_not_kept():
    cache = ByteCache(3)
    cache.put("a", b"123")
    cache.put("b", b"1234")
    assert [cache.get(key) for key in "ab"] == [b"123", None]
