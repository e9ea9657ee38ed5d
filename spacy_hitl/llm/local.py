"""A causal language model of transformers in memory: weights, tokenizer, grammars of schemas."""

from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, FrozenSet, List, Optional

from ..errors import Errors, ModelError
from ..io import canonical_json
from ..records import Request


@dataclass
class LocalModel:
    """Made by `load`. `stops` are the tokens that end an answer, `limit` how many it can see."""

    name: str
    model: Any
    tokenizer: Any
    device: Any
    stops: FrozenSet[int]
    limit: Optional[int]
    _matchers: Dict[str, Any] = field(default_factory=dict)
    _grammar_tokenizer: Any = None

    def prompt_ids(self, request: Request) -> List[int]:
        """RETURNS (List[int]): The messages in the model's chat template; joined if it has none."""
        from jinja2 import TemplateError

        if not self.tokenizer.chat_template:
            return list(self.tokenizer(request.prompt)["input_ids"])
        # Templates of models that can think first leave it out if told so; others ignore it.
        options = {"add_generation_prompt": True, "return_dict": True, "enable_thinking": False}
        chat = [{"role": m.role, "content": m.content} for m in request.messages]
        try:
            encoded = self.tokenizer.apply_chat_template(chat, **options)
        except TemplateError:  # some know no system message
            chat = [{"role": "user", "content": request.prompt}]
            encoded = self.tokenizer.apply_chat_template(chat, **options)
        return list(encoded["input_ids"])

    def matcher(self, schema: Dict[str, Any]) -> Any:
        """Make what holds one answer to a schema.

        schema (Dict[str, Any]): A JSON schema; its grammar is built once.
        RETURNS (llguidance.LLMatcher): Fresh.
        RAISES (ModelError): If tokenizer or schema can't be used for it.
        """
        key = canonical_json(schema)
        if key not in self._matchers:
            try:
                self._matchers[key] = self._build_matcher(schema)
            except ValueError as e:
                detail = first_line(e)
                raise ModelError(Errors.H118.format(name=self.name, detail=detail)) from e
        return self._matchers[key].deep_copy()

    def _build_matcher(self, schema: Dict[str, Any]) -> Any:
        import llguidance

        if self._grammar_tokenizer is None:
            self._grammar_tokenizer = llguidance.LLTokenizer(
                _tokenizer_json(self.tokenizer), eos_token=sorted(self.stops)
            )
        # White space between the parts of JSON is a place where small models stay for ever.
        grammar = llguidance.LLMatcher.grammar_from_json_schema(
            schema, overrides={"whitespace_flexible": False}
        )
        matcher = llguidance.LLMatcher(self._grammar_tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        return matcher


def _tokenizer_json(tokenizer: Any) -> str:
    """RETURNS (str): A tokenizer as llguidance reads it."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError("its tokenizer is not one of the fast ones")
    backend = copy(backend)
    backend.no_padding()
    backend.no_truncation()
    # An answer goes on where the prompt ends: no space is put before it.
    return str(backend.to_str()).replace('"add_prefix_space":true', '"add_prefix_space":false')


def load(name: str, *, device: Optional[str], local_files_only: bool) -> LocalModel:
    """Read a model.

    name (str): Folder, or name in the Hugging Face cache.
    device (Optional[str]): Where it is to run; a GPU is taken if there is one.
    local_files_only (bool): Never download.
    RETURNS (LocalModel): Ready to answer.
    RAISES (ModelError): If there is no model, no such device or not enough memory.
    """
    place = _find_device(device)
    try:
        return _read(name, place, local_files_only=local_files_only)
    except Exception as e:  # files may be missing, broken, or anything else than a model
        detail = first_line(e)
        if out_of_memory(e):
            remedy = "Take a smaller model"
            raise ModelError(
                Errors.H115.format(name=name, device=place, detail=detail, remedy=remedy)
            ) from e
        if Path(name).exists():
            raise ModelError(Errors.H114.format(name=name, detail=detail)) from e
        raise ModelError(Errors.H113.format(name=name, detail=detail, cwd=Path.cwd())) from e


def _find_device(wanted: Optional[str]) -> Any:
    import torch

    device = wanted or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError) as e:
        raise ModelError(Errors.H117.format(device=device, detail=first_line(e))) from e


def _read(name: str, device: Any, *, local_files_only: bool) -> LocalModel:
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    where = {"local_files_only": local_files_only}
    tokenizer = AutoTokenizer.from_pretrained(name, padding_side="left", **where)
    model = AutoModelForCausalLM.from_pretrained(name, dtype="auto", **where).to(device).eval()
    known = model.generation_config.eos_token_id
    stops = {tokenizer.eos_token_id, *(known if isinstance(known, list) else [known])} - {None}
    if not stops:
        raise ValueError("neither tokenizer nor model has an end-of-sequence token")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(min(stops))
    # The model's own defaults (penalties, top_p) go: they would shape answers unseen.
    config: Any = GenerationConfig  # has no types
    model.generation_config = config(
        do_sample=False, eos_token_id=sorted(stops), pad_token_id=tokenizer.pad_token_id
    )
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return LocalModel(name, model, tokenizer, device, frozenset(stops), limit)


def out_of_memory(error: Exception) -> bool:
    """RETURNS (bool): Whether memory ran out, on a GPU or (there a plain RuntimeError) a CPU."""
    import torch

    known = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    return known or "can't allocate memory" in str(error)


def first_line(error: Exception) -> str:
    """RETURNS (str): The first line of an error, for a message of ours."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:500].rstrip(".")
