"""Simulated annotators over HTTP: many at once, and a server that is killed under them."""

import http.client
import json
import threading
import time
import uuid
from collections import Counter
from urllib.parse import urlsplit

from review_project import percentile, server, stored_answers

TASKS = 2


class Person:
    """One annotator with one connection, who accepts whatever is shown."""

    def __init__(self, name, link):
        parts = urlsplit(link)
        self.name = name
        self.host = parts.netloc
        self.tab = uuid.uuid4().hex
        self.screens, self.waiting = [], None
        self.handed, self.saved, self.milliseconds = [], set(), []
        self.connection = http.client.HTTPConnection(self.host, timeout=30)
        self.connection.request("GET", f"/?{parts.query}")
        response = self.connection.getresponse()
        response.read()
        self.cookie = response.getheader("set-cookie").partition(";")[0]

    def post(self, path, value):
        """RETURNS: The JSON of the reply."""
        headers = {"X-Hitl": "1", "Content-Type": "application/json", "Cookie": self.cookie}
        try:
            self.connection.request("POST", path, json.dumps(value), headers)
            response = self.connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status} {body[:300]}")
        return json.loads(body)

    def step(self):
        """Answer one text. RETURNS: Whether there was one."""
        if self.waiting is None:
            if not self.screens:
                body = {"n": 5, "have": [], "tab": self.tab}
                self.screens = self.post("/api/next", body)["screens"]
                self.handed += [s["digest"] for s in self.screens]
            if not self.screens:
                return False
            self.waiting = accept(self.screens.pop(0))
        began = time.perf_counter()
        reply = self.post("/api/answers", {"answers": [self.waiting]})
        self.milliseconds.append(1000 * (time.perf_counter() - began))
        if reply["refused"]:
            raise SystemExit(f"refused: {reply['refused']}")
        self.saved.update(reply["saved"])
        self.waiting = None
        return True


def accept(screen):
    """RETURNS: The answer that changes nothing."""
    thing, topic = screen["tasks"]["thing"], screen["tasks"]["topic"]
    spans = [[s["start"], s["end"], s["label"]] for s in thing["annotation"]["spans"]]
    return {
        "uid": uuid.uuid4().hex,
        "digest": screen["digest"],
        "action": "accept",
        "flagged": False,
        "note": None,
        "seconds": 1.0,
        "mode": screen["mode"],
        "edits": {"thing": 0, "topic": 0},
        "tasks": {
            "thing": {"spans": spans},
            "topic": {"cats": [c["label"] for c in topic["annotation"]["cats"]]},
        },
    }


def crowd(folder, *, people=20, answers=5000, kills=0):
    """Let people work at once until so many answers are acknowledged.

    kills: how often the server is killed with SIGKILL meanwhile, and started again.
    RETURNS: Counts and times.
    """
    names = [f"person{i:02}" for i in range(people)]
    goals = [answers * (k + 1) // (kills + 1) for k in range(kills + 1)]
    everybody, began = [], time.perf_counter()
    for number, goal in enumerate(goals):
        with server(folder, names) as (process, links, _):
            everybody = everybody or [Person(name, links[name]) for name in names]
            stop = threading.Event()
            threads = [threading.Thread(target=work, args=(p, stop)) for p in everybody]
            for thread in threads:
                thread.start()
            while sum(len(p.saved) for p in everybody) < goal and any(
                t.is_alive() for t in threads
            ):
                time.sleep(0.002)
            if number < kills:
                process.kill()
                process.wait()
            stop.set()
            for thread in threads:
                thread.join()
    return judge(folder, everybody, time.perf_counter() - began)


def work(person, stop):
    """Answer until told to stop; while the server is away, try again."""
    while not stop.is_set():
        try:
            if not person.step():
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)


def judge(folder, everybody, seconds):
    """Compare what was acknowledged with what is stored."""
    rows, integrity = stored_answers(folder)
    stored = {uid: (digest, annotator) for uid, digest, annotator, _ in rows}
    acknowledged = [uid for person in everybody for uid in person.saved]
    texts = Counter(stored[uid][0] for uid in acknowledged if uid in stored)
    times = [ms for person in everybody for ms in person.milliseconds]
    return {
        "answers": len(acknowledged),
        "duplicates": sum(n - 1 for n in texts.values()),
        "lost": len(set(acknowledged) - set(stored)),
        "torn": sum(count != TASKS for *_, count in rows),
        "integrity": integrity,
        "answers_per_s": round(len(acknowledged) / seconds),
        "answer_p50_ms": round(percentile(times, 0.5), 1),
        "answer_p99_ms": round(percentile(times, 0.99), 1),
    }
