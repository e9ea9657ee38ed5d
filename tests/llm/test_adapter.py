import pytest

from spacy_hitl.errors import InputError, ModelError
from spacy_hitl.llm.adapter import SpacyLLMAdapter, as_model
from spacy_hitl.records import Message, Request
from spacy_hitl.ty import Model


def request(text):
    return Request(text, "product", 1, (Message("system", "Rules"), Message("user", text)), {})


def echo(prompts):
    """As most models of spacy-llm: a generator over the documents' prompts."""
    for shard in prompts:
        yield [prompt.upper() for prompt in shard]


def ask(model, *texts):
    return list(as_model(model, name="product").respond([request(t) for t in texts]))


def test_plain_function_answers_the_whole_prompt():
    assert [r.text for r in ask(echo, "a", "b")] == ["RULES\n\nA", "RULES\n\nB"]
    assert {(r.model, r.error) for r in ask(echo, "a", "b")} == {("echo", None)}


def test_adapted_function_is_a_model():
    assert isinstance(as_model(echo, name="product"), Model)


def test_name_of_a_model():
    class Rest:
        def __init__(self, name):
            self._name = name

        def __call__(self, prompts):
            return [["x"] for _ in prompts]

    assert SpacyLLMAdapter(Rest("gpt-x")).source == "gpt-x"
    assert SpacyLLMAdapter(Rest("")).source == "Rest"


def test_exception_fails_its_text_only():
    def fragile(prompts):
        for shard in prompts:
            if "bad" in shard[0]:
                raise ZeroDivisionError("boom")
            yield ["fine"]

    first, bad, last = ask(fragile, "a", "bad", "b")
    assert (first.text, last.text) == ("fine", "fine")
    assert bad.text is None
    assert bad.error == "[H103] The model failed on this text: ZeroDivisionError: boom"


def test_long_exception_is_shortened():
    def fragile(prompts):
        raise ValueError("x" * 10_000)

    assert len(ask(fragile, "a")[0].error) < 1000


@pytest.mark.parametrize("replies", [[], [[]], None, 3, [["a"], ["b"]]])
def test_no_reply_is_an_error(replies):
    [response] = ask(lambda prompts: replies, "a")
    assert response.error.startswith("[H103]")


@pytest.mark.parametrize("reply", [None, 3, {"entities": []}])
def test_reply_that_is_no_string_is_no_text(reply):
    [response] = ask(lambda prompts: [[reply]], "a")
    assert (response.text, response.error) == (None, None)


def test_flat_replies_are_read_whole():
    """A model that returns a list of strings is not taken for one that answers "{"."""
    assert ask(lambda prompts: ['{"entities": []}'], "a")[0].text == '{"entities": []}'


def test_error_that_concerns_all_texts_stops():
    def broken(prompts):
        raise ModelError("[H001] no key")

    with pytest.raises(ModelError, match="no key"):
        ask(broken, "a", "b")


def test_model_of_this_package_stays_itself():
    class Own:
        source = "own"

        def respond(self, requests):
            return iter(())

    own = Own()
    assert as_model(own, name="product") is own


@pytest.mark.parametrize("model", [None, "gpt", 3, {"path": "x"}])
def test_neither(model):
    with pytest.raises(InputError, match=r"\[H100\] Component 'product' has no model"):
        as_model(model, name="product")
