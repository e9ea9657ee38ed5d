"""The in-process model, with a tiny model made here. Nothing is downloaded."""

import json
import math
import pickle
import shutil

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("llguidance")

import spacy  # noqa: E402
from spacy.tokens import Span  # noqa: E402
from spacy.util import load_config_from_str  # noqa: E402
from tiny_llama import WORDS, save_tiny_llama  # noqa: E402

import spacy_hitl._compat  # noqa: E402
from spacy_hitl.errors import ModelError  # noqa: E402
from spacy_hitl.io import text_digest  # noqa: E402
from spacy_hitl.llm.decoding import Decoding  # noqa: E402
from spacy_hitl.llm.store import ResponseStore, StoredModel  # noqa: E402
from spacy_hitl.llm.transformers import make_transformers_model  # noqa: E402
from spacy_hitl.pipeline.hitl_llm import HitlLLM  # noqa: E402
from spacy_hitl.records import Message, Request  # noqa: E402
from spacy_hitl.tasks.base import get_proposals  # noqa: E402
from spacy_hitl.tasks.linking.task import make_linking_task  # noqa: E402
from spacy_hitl.tasks.ner.task import make_ner_task  # noqa: E402
from spacy_hitl.tasks.textcat.task import make_textcat_task  # noqa: E402
from spacy_hitl.ty import Model  # noqa: E402

pytestmark = pytest.mark.slow

NLP = spacy.blank("en")
TEXTS = [f"{' '.join(WORDS[: 1 + i % 7])}, number {i}" for i in range(20)]
MOOD = make_textcat_task(["GOOD", "BAD"], exclusive_classes=True)
NER = make_ner_task(["PRODUCT"])
CATALOG = [{"id": f"Q{i}", "name": f"Phone {i}", "aliases": []} for i in range(3)]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def make(folder):
    def make(name=folder, **kwargs):
        return make_transformers_model(str(name), **{"max_new_tokens": 100, **kwargs})

    return make


def ask(task, text, *, sample=1):
    return task.build_request(NLP.make_doc(text), name="x", sample=sample)


def answers(model, task=NER, texts=TEXTS, *, sample=1):
    return list(model.respond([ask(task, text, sample=sample) for text in texts]))


def texts_of(responses):
    return [r.text for r in responses]


def copy_of(folder, target):
    return shutil.copytree(folder, target / "copy")


# Answers


@pytest.fixture(params=["ner", "exclusive", "multilabel", "linking"])
def task(request, tmp_path):
    if request.param == "linking":
        path = tmp_path / "catalog.jsonl"
        path.write_text("\n".join(json.dumps(entry) for entry in CATALOG))
        return make_linking_task(path)
    made = {
        "ner": NER,
        "exclusive": MOOD,
        "multilabel": make_textcat_task(["GOOD", "BAD", "UGLY"]),
    }
    return made[request.param]


def follows(value, schema):
    """The part of JSON schema that tasks use."""
    if "anyOf" in schema:
        return any(follows(value, one) for one in schema["anyOf"])
    if schema["type"] == "object":
        return set(value) == set(schema["required"]) and all(
            follows(v, schema["properties"][k]) for k, v in value.items()
        )
    if schema["type"] == "array":
        return isinstance(value, list) and all(follows(v, schema["items"]) for v in value)
    if schema["type"] == "null":
        return value is None
    return isinstance(value, str) and value in schema.get("enum", [value])


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_every_answer_follows_the_schema(make, task, temperature):
    model = make(temperature=temperature, max_new_tokens=400)
    docs = []
    for text in TEXTS:
        doc = NLP(text)
        doc.set_ents([Span(doc, 0, 1, label="PRODUCT")])
        docs.append(doc)
    done = list(HitlLLM("x", task, model).pipe(docs))
    assert [doc.text for doc in done] == TEXTS
    assert {get_proposals(doc)["x"].status for doc in done} <= {"ok", "empty", "unaligned"}
    for response in answers(model, task):
        assert response.finish_reason == "stop"
        assert follows(json.loads(response.text), task.schema())


def test_without_the_schema_it_would_not(make):
    docs = HitlLLM("x", NER, make(structured=False)).pipe(NLP.pipe(TEXTS))
    assert "malformed" in {get_proposals(doc)["x"].status for doc in docs}


def test_requests_of_a_batch_have_their_own_schemas(make):
    first, second, free = make().respond(
        [ask(NER, "a"), ask(MOOD, "b"), Request("d", "x", 1, (Message("user", "c"),), {})]
    )
    assert list(json.loads(first.text)) == ["entities"]
    assert list(json.loads(second.text)) == ["label"]
    assert free.error is None


def test_batches_keep_the_order(make):
    """A text's answer is its own: the same whoever is asked about in the same batch."""
    alone = answers(make(temperature=1.0, batch_size=1))
    assert len(set(texts_of(alone))) > 3
    for size in (3, 8, 50):
        assert texts_of(answers(make(temperature=1.0, batch_size=size))) == texts_of(alone)


def test_the_stream_is_read_one_batch_at_a_time(make):
    read = []

    def requests():
        for text in TEXTS:
            read.append(text)
            yield ask(MOOD, text)

    replies = make(batch_size=4).respond(requests())
    assert read == []
    next(replies)
    assert read == TEXTS[:4]
    assert len(list(replies)) == len(TEXTS) - 1


def test_samples_differ_and_repeat(make):
    samples = [texts_of(answers(make(temperature=1.0), sample=k)) for k in (1, 2, 3)]
    assert len({tuple(texts) for texts in samples}) == 3
    assert texts_of(answers(make(temperature=1.0), sample=2)) == samples[1]
    assert texts_of(answers(make(temperature=1.0, seed=1), sample=1)) == samples[1]
    greedy = make()
    assert texts_of(answers(greedy, sample=1)) == texts_of(answers(greedy, sample=2))


def test_draws_leave_the_random_state_alone(make):
    before = torch.get_rng_state()
    model = make(temperature=1.0)
    answers(model, texts=["a"])
    assert torch.equal(torch.get_rng_state(), before)


def test_draws_follow_the_models_distribution(make):
    """Of two labels, each comes as often as its probability says."""
    model = make(temperature=1.0, batch_size=50, logprobs=True)
    request = ask(MOOD, "the camera of this phone is great")
    samples = [
        Request(request.text_digest, "x", k, request.messages, request.schema) for k in range(300)
    ]
    found = list(model.respond(samples))
    first = {json.loads(r.text)["label"]: dict(r.logprobs) for r in found}
    assert set(first) == {"GOOD", "BAD"}
    # The token where the two labels part, whatever the tokenizer makes of them.
    good, bad = (first[label][token] for label, token in (("GOOD", "G"), ("BAD", "B")))
    expected = math.exp(good) / (math.exp(good) + math.exp(bad))
    share = sum(json.loads(r.text)["label"] == "GOOD" for r in found) / len(found)
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / len(found))


@pytest.mark.parametrize("structured", [True, False])
def test_logprobs_are_the_models_own(make, structured):
    """The same as from one pass over prompt and answer, without padding or schema."""
    model = make(logprobs=True, structured=structured)
    compared = 0
    for text, response in zip(TEXTS, answers(model), strict=True):
        tokens, values = zip(*response.logprobs, strict=True)
        assert "".join(tokens) == response.text
        assert len(values) == response.completion_tokens > 0
        assert all(value <= 0 for value in values)
        local = model._load()
        prompt = local.prompt_ids(ask(NER, text))
        assert response.prompt_tokens == len(prompt)
        ids = local.tokenizer(response.text)["input_ids"]
        if [local.tokenizer.decode([i]) for i in ids] != list(tokens):
            continue  # cut into other tokens than were generated
        with torch.no_grad():
            logits = local.model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
        wanted = logits.log_softmax(-1).gather(1, torch.tensor(ids)[:, None])[:, 0]
        assert torch.allclose(torch.tensor(values), wanted, atol=1e-3)
        compared += 1
    assert compared > 0


def test_no_logprobs_unless_asked_for(make):
    assert {a.logprobs for a in answers(make(), MOOD)} == {None}


def test_what_is_cut_off_says_so(make):
    for response in answers(make(max_new_tokens=3)):
        assert (response.finish_reason, response.completion_tokens) == ("length", 3)
    docs = HitlLLM("x", NER, make(max_new_tokens=3)).pipe(NLP.pipe(TEXTS))
    assert {get_proposals(doc)["x"].status for doc in docs} == {"truncated"}


SYSTEM_REFUSED = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}"
    "{% endif %}<|user|>{{ m.content }}<|end|>{% endfor %}<|assistant|>"
)


@pytest.mark.parametrize("template", ["", SYSTEM_REFUSED])
def test_other_chat_templates(make, tmp_path, template):
    model = make(save_tiny_llama(tmp_path, template=template))
    found = answers(model, MOOD)
    assert {json.loads(a.text)["label"] for a in found} <= {"GOOD", "BAD"}
    prompt = model._load().tokenizer.decode(model._load().prompt_ids(ask(MOOD, "abc")))
    assert MOOD.system_prompt() in prompt
    assert "<text>\nabc\n</text>" in prompt


def test_a_tokenizer_that_puts_a_space_before_a_text(make, tmp_path):
    found = answers(make(save_tiny_llama(tmp_path, prefix_space=True)), MOOD)
    assert {json.loads(a.text)["label"] for a in found} <= {"GOOD", "BAD"}


# Failures


def test_an_answer_that_leaves_its_schema_fails_alone(make, monkeypatch):
    model = make()
    model._load().matcher(MOOD.schema())
    monkeypatch.setattr(Decoding, "_forbidden", lambda self, scores: torch.zeros_like(scores) > 0)
    free, held = model.respond(
        [Request("d", "x", 1, (Message("user", "c"),), {}), ask(MOOD, "the camera")]
    )
    assert free.error is None
    assert held.text is None
    assert held.error.startswith("[H103]")
    assert "\n" not in held.error


def test_a_prompt_that_is_too_long_fails_alone(make, tmp_path):
    model = make(save_tiny_llama(tmp_path, positions=600))
    first, long, last = answers(model, MOOD, ["short", "phone " * 1000, "short too"])
    assert (first.error, last.error) == (None, None)
    assert long.text is None
    assert long.error.startswith("[H116]")
    assert "600" in long.error


def test_a_text_on_which_the_model_fails_fails_alone(make, monkeypatch):
    model = make()
    local = model._load()
    real = local.model.generate

    def fragile(**kwargs):
        if "BOOM" in local.tokenizer.batch_decode(kwargs["input_ids"])[-1]:
            raise IndexError("index out of range")
        return real(**kwargs)

    monkeypatch.setattr(local.model, "generate", fragile)
    fine, bad = answers(model, MOOD, ["fine", "BOOM"])
    assert fine.error is None
    assert bad.error == "[H103] The model failed on this text: IndexError: index out of range"


def test_a_prompt_that_the_template_refuses_fails_alone(make, tmp_path):
    refuses = "{% if 'BOOM' in messages[-1].content %}{{ raise_exception('no') }}{% endif %}x"
    model = make(save_tiny_llama(tmp_path, template=refuses))
    fine, bad = answers(model, MOOD, ["fine", "BOOM"])
    assert fine.error is None
    assert bad.error.startswith("[H103]")


@pytest.mark.parametrize("name", ["training/no/such/folder", "someone/no-such-model", "nothing"])
def test_no_model_here(make, fails, name):
    with fails("H113", name, "local_files_only"):
        answers(make(name))


def spoil(name, content=None):
    def spoil(folder):
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(content)

    return spoil


@pytest.mark.parametrize(
    "change",
    [
        spoil("config.json"),
        spoil("config.json", "{}"),
        spoil("config.json", '{"model_type": "t5"}'),
        spoil("model.safetensors"),
        spoil("model.safetensors", "not weights"),
        spoil("tokenizer.json", "[]"),
    ],
)
def test_a_folder_that_holds_no_model(make, folder, tmp_path, fails, change):
    copy = copy_of(folder, tmp_path)
    change(copy)
    with fails("H114", copy):
        answers(make(copy))


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta:x"])
def test_a_device_that_is_not_there(make, fails, device):
    with fails("H117", device):
        answers(make(device=device))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_out_of_memory(make, monkeypatch, fails, error):
    def full(**kwargs):
        raise error

    model = make()
    monkeypatch.setattr(model._load().model, "generate", full)
    with fails("H115", "batch_size (8)", "max_new_tokens (100)", "allocate"):
        answers(model)


def test_out_of_memory_while_loading(make, monkeypatch, fails):
    from transformers import AutoModelForCausalLM

    def full(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", full)
    with fails("H115", "smaller model"):
        answers(make())


def test_a_schema_that_can_not_be_held(make, fails):
    request = Request("d", "x", 1, (Message("user", "c"),), {"type": "nonsense"})
    with fails("H118", "structured = false"):
        list(make().respond([request]))


@pytest.mark.parametrize("package", ["torch", "transformers", "llguidance"])
def test_a_package_that_is_missing(make, monkeypatch, fails, package):
    real = spacy_hitl._compat.find_spec
    monkeypatch.setattr(
        spacy_hitl._compat, "find_spec", lambda name: None if name == package else real(name)
    )
    with fails("H009", package, 'pip install "spacy-hitl[transformers]"'):
        answers(make())


# Plugged in


def test_nothing_is_loaded_at_construction(make):
    model = make("no/such/model", device="nowhere")
    assert isinstance(model, Model)
    assert model.source == "no/such/model"


def test_pickling_leaves_the_weights_behind(make):
    model = make(temperature=0.5)
    before = texts_of(answers(model, MOOD))
    data = pickle.dumps(model)
    assert len(data) < 1000
    assert texts_of(answers(pickle.loads(data), MOOD)) == before


def test_what_shapes_an_answer_is_in_its_key(make):
    base = dict(make().shaping)
    for change in ("max_new_tokens", "temperature", "structured", "logprobs"):
        assert dict(make(**{change: 7}).shaping) != base
    assert dict(make(seed=7).shaping) == base  # nothing is drawn
    assert dict(make(seed=7, temperature=1.0).shaping) != dict(make(temperature=1.0).shaping)
    assert dict(make(batch_size=7, device="cpu").shaping) == base


def test_a_stored_answer_is_not_asked_for_again(make, tmp_path, monkeypatch):
    model = make(logprobs=True)
    with ResponseStore(tmp_path / "responses.db") as store:
        first = answers(StoredModel(model, store))
        monkeypatch.setattr(model._load().model, "generate", None)
        assert answers(StoredModel(model, store)) == first
        assert len(store) == len(TEXTS)


CONFIG = """
[nlp]
lang = "en"
pipeline = ["mood"]

[components]

[components.mood]
factory = "{factory}"

[components.mood.task]
@llm_tasks = "spacy-hitl.TextCat.v1"
labels = ["GOOD", "BAD"]
exclusive_classes = true

[components.mood.model]
@llm_models = "spacy-hitl.Transformers.v1"
name = "{name}"
max_new_tokens = 40
structured = {structured}
"""


@pytest.mark.parametrize("factory", ["hitl_llm", "llm"])
def test_from_a_config(folder, tmp_path, factory):
    """In spacy-llm's own `llm` no schema is passed, so nothing holds the answers to one."""
    structured = "true" if factory == "hitl_llm" else "false"
    text = CONFIG.format(factory=factory, name=folder, structured=structured)
    nlp = spacy.util.load_model_from_config(load_config_from_str(text), auto_fill=True)
    docs = list(nlp.pipe(TEXTS))
    assert [doc.text for doc in docs] == TEXTS
    if factory == "hitl_llm":
        assert all(sorted(doc.cats.values()) == [0.0, 1.0] for doc in docs)
    else:
        # Its task is told no name, and proposals are left under the task's kind.
        assert {get_proposals(doc)["textcat"].source for doc in docs} == {"spacy-llm"}


def test_spacy_llm_gets_a_list_of_answers_per_document(make):
    model = make()
    assert [len(list(shard)) for shard in model([["a", "b"], [], ["c"]])] == [2, 0, 1]


def test_spacy_llm_is_told_of_a_failure(make, tmp_path):
    model = make(save_tiny_llama(tmp_path, positions=200))
    with pytest.raises(ModelError, match="H116"):
        list(model([["a"], ["phone " * 1000]]))


def test_a_prompt_of_spacy_llm_is_one_user_message(make):
    [[answer]] = make()([["hello"]])
    request = Request(text_digest("hello"), "", 1, (Message("user", "hello"),), {})
    assert [answer] == texts_of(make().respond([request]))


def test_texts_that_are_answered_together_share_the_time(make):
    times = [a.seconds for a in answers(make(batch_size=4), texts=TEXTS[:8])]
    assert min(times) > 0
    assert len(set(times[:4])) == len(set(times[4:])) == 1
