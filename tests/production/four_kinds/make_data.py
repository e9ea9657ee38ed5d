"""Texts that are easy to learn: one word decides each task.

A lookup is not enough for two of them: "kite" in lower case is no thing, and the form "Lampe" is
in no reviewed training text, only in what the model annotated.
"""

import json
import random
from pathlib import Path

dice = random.Random(7)
things = {"Kite": "Q1", "Lamp": "Q2", "Chair": None, "Lampe": "Q2"}
openings = {"GOOD": ["Great news", "Lovely day", "Happy now"], "BAD": ["Sad story", "Awful luck"]}
topics = {"PRICE": ["cheap", "costly"], "SOUND": ["loud", "silent"]}
plain = ["round", "red", "here", "old"]

with Path("catalog.jsonl").open("w") as file_:
    for name, id_ in things.items():
        if id_ and name != "Lampe":
            file_.write(json.dumps({"id": id_, "name": name, "aliases": []}) + "\n")

texts, answers, decisions = [], [], []
for i in range(360):
    lane = "gold" if i < 60 else "dev" if i < 100 else "train"
    mood = dice.choice(list(openings))
    named = dice.sample(["Kite", "Lamp", "Chair"], dice.choice([1, 1, 2]))
    words = [dice.choice(plain)]
    labels = [t for t in topics if dice.random() < 0.5]
    words += [dice.choice(topics[t]) for t in labels]
    dice.shuffle(words)
    text = f"{dice.choice(openings[mood])}, the {' and the '.join(named)} "
    if dice.random() < 0.3 and not 100 <= i < 160:
        text = text.replace("Lamp", "Lampe")
    verb = "is" if len(named) == 1 else "are both"
    aside = dice.choice(["no kite", "a lamp", "one chair"])
    text += f"{verb} {' and '.join(words)} on day {i}, {aside} aside."
    named = [n if n in text.replace("Lampe", "") else "Lampe" for n in named]
    id_ = str(i)
    texts.append({"id": id_, "text": text, "lane": lane})
    replies = {
        "thing": {"entities": [{"text": n, "label": "THING"} for n in named]},
        "meaning": {"links": [{"text": n, "id": things[n]} for n in named]},
        "topics": {"labels": labels},
        "mood": {"label": mood},
    }
    answers += [{"id": id_, "task": t, "response": json.dumps(r)} for t, r in replies.items()]
    if i < 160:
        spans = [[text.index(n), text.index(n) + len(n)] for n in named]
        spans.sort()
        decisions.append(
            {
                "id": id_,
                "thing": [[*s, "THING"] for s in spans],
                "meaning": [[*s, things[text[s[0] : s[1]]]] for s in spans],
                "topics": labels,
                "mood": mood,
            }
        )

for name, rows in (("texts", texts), ("answers", answers), ("decisions", decisions)):
    with Path(f"{name}.jsonl").open("w") as file_:
        file_.writelines(json.dumps(row) + "\n" for row in rows)
