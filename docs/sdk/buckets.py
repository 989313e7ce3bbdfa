#!/usr/bin/env python3
"""Where units lie, and what allocations give them: what an evaluator hashes, checked against a file of golden buckets."""
import hashlib, json, sys

WHOLE = 100000


def murmur3(text, seed=0):
    """MurmurHash3, x86, 32 bits, of the text's UTF-8."""
    def scramble(k):
        k = k * 0xCC9E2D51 & 0xFFFFFFFF
        return (k << 15 | k >> 17) * 0x1B873593 & 0xFFFFFFFF

    data, h = text.encode(), seed
    for at in range(0, len(data) // 4 * 4, 4):
        h ^= scramble(int.from_bytes(data[at:at + 4], "little"))
        h = ((h << 13 | h >> 19) * 5 + 0xE6546B64) & 0xFFFFFFFF
    h ^= scramble(int.from_bytes(data[len(data) // 4 * 4:], "little")) ^ len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return h ^ h >> 16


def fnv1a(text):
    """FNV-1a, 32 bits, of the text's UTF-8."""
    h = 2166136261
    for byte in text.encode():
        h = (h ^ byte) * 16777619 & 0xFFFFFFFF
    return h


def md5(text):
    return hashlib.md5(text.encode()).digest()


def bucket(text):
    """Ours, which is that of flagd's fractional, version 2."""
    return murmur3(text) * WHOLE >> 32


def launchdarkly(text):
    return min(int(hashlib.sha1(text.encode()).hexdigest()[:15], 16) * WHOLE // (2**60 - 1), WHOLE - 1)


def featbit(text):
    share = abs(int.from_bytes(md5(text)[:4], "little", signed=True))
    return max(-(-share * WHOLE // 2**31) - 1, 0)


def flagsmith(text):
    repeated = text
    while True:
        rest = int.from_bytes(md5(repeated), "big") % 9999
        if rest < 9998:
            return rest * WHOLE // 9998
        repeated += "," + text


def unleash_variants(text, of):
    return -(-(murmur3(text, 86028157) % of) * WHOLE // of)


def arithmetic(how, id):
    """The place of an id by the arithmetic that a hash names."""
    salt, version = how.get("salt", ""), how.get("version", "")
    return {
        "": lambda: bucket(salt + id),
        "unleash": lambda: murmur3(salt + id) % 100 * 1000,
        "unleash-variants": lambda: unleash_variants(salt + id, how.get("of") or 1000),
        "launchdarkly": lambda: launchdarkly(salt + id),
        "growthbook-1": lambda: fnv1a(id + salt) % 1000 * 100,
        "growthbook-2": lambda: fnv1a(str(fnv1a(salt + id))) % 10000 * 10,
        "featbit": lambda: featbit(salt + id),
        "flagsmith": lambda: flagsmith(salt + id),
    }[version]()


def written(value):
    """Text as it is, a number as JavaScript writes it; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return value if isinstance(value, str) else repr(int(value) if value == int(value) else value)


def place(how, value):
    """The place of what a hash hashes, None where there is nothing: value is the targeting key, or the attribute that `by` names."""
    version, key = how.get("version", ""), how["by"] == "targetingKey"
    if version == "" and how.get("joined"):
        text = "" if value is None else written(value)
        return None if text is None else bucket((how.get("salt", "") + text).strip())
    if version == "":
        return arithmetic(how, value) if isinstance(value, str) and (value or not key) else None
    if version.startswith("growthbook") and value in (0, False):
        return None
    if version == "launchdarkly" and isinstance(value, float) and value != int(value):
        value = None
    if isinstance(value, bool) and version != "launchdarkly":
        value = "true" if value else "false"
    text = written(value)
    if text is None and version == "featbit":
        text = ""
    if text is None or text == "" and (key or version not in ("featbit", "launchdarkly")):
        return 0 if version == "launchdarkly" and not key else None
    return arithmetic(how, text)


def given(allocation, unit):
    """The variant that an allocation gives a unit, None to who takes no part."""
    part = allocation.get("slice")
    if part and not part["from"] <= bucket(part["salt"] + ":slice:" + unit) < part["to"]:
        return None
    if bucket(allocation["salt"] + ":enrol:" + unit) >= allocation["coverage"]:
        return None
    at, below = bucket(allocation["salt"] + ":arm:" + unit), 0
    for arm in allocation["arms"]:
        below += arm["weight"]
        if at < below:
            return arm["variant"]


def check(golden):
    """Yields what is golden, and what is computed here."""
    for text, at in golden["buckets"].items():
        yield text, at, bucket(text)
    for a in golden["allocations"]:
        for unit, variant in a["units"].items():
            yield (a["salt"], unit), variant, given(a, unit)
    for h in golden["hashes"]:
        for v in h["values"]:
            yield (h["hash"], v["is"]), v["place"], place(h["hash"], v["is"])


checked = [(what, want, got) for what, want, got in check(json.load(open(sys.argv[1], encoding="utf-8")))]
wrong = ["%s: got %s, golden is %s" % (what, got, want) for what, want, got in checked if want != got]
print("\n".join(wrong) or "%d values agree" % len(checked))
sys.exit(1 if wrong else 0)
