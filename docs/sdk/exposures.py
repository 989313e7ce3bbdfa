#!/usr/bin/env python3
"""Asks which variant units get, and says who met what until that is acknowledged."""
import json, os, secrets, sys, time, urllib.error, urllib.request

URL, TOKEN = os.environ["SLUICE_URL"], os.environ["SLUICE_TOKEN"]
MOST = float(os.environ.get("SLUICE_MOST_WAIT", "30"))  # seconds between two tries


def post(path, body):
    """Returns the status, 0 without one, the seconds to wait and the answer."""
    head = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"}
    try:
        request = urllib.request.Request(URL + path, json.dumps(body).encode(), head)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, 0, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, float(refused.headers.get("Retry-After") or 1), json.load(refused)
    except OSError:  # nobody there, or the answer was lost
        return 0, 1, {}


def uuid7():
    digits = "%012x7%03x%016x" % (time.time_ns() // 10**6, secrets.randbits(12), 1 << 63 | secrets.randbits(62))
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def exposure(flag, unit):
    status, _, got = post("/ofrep/v1/evaluate/flags/" + flag, {"context": {"targetingKey": unit}})
    if status != 200 or "variant" not in got:
        return None  # the code's own default was met, which is no variant
    return {"kind": "exposure", "id": uuid7(), "flag": flag, "variant": got["variant"], "reason": got["reason"],
            "revision": int(got["metadata"]["version"]), "unit": {"kind": "user", "id": unit}}


def send(events):
    while True:  # the same events with the same ids, however often
        status, wait, answer = post("/v1/events", events)
        if status == 202:
            return answer  # "rejected" says which events were not taken, and why
        if status not in (0, 408, 429, 500, 502, 503, 504):
            sys.exit("refused, and would be again: %s" % json.dumps(answer))
        time.sleep(min(wait, MOST) * (1 + secrets.randbelow(100) / 100))


print(json.dumps(send([e for e in (exposure(sys.argv[1], unit) for unit in sys.argv[2:]) if e])))
