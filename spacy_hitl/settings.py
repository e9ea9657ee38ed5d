"""The [hitl] section of a config: where things are, and the rules of the project."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Dict, Literal, Mapping, Optional, Tuple

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from .errors import Errors, InputError
from .records import TaskChanges

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Money = Annotated[float, Field(allow_inf_nan=False)]
Cost = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class DataSettings:
    """[hitl.data]: how rows are read.

    id_field, text_field, lane_field: names of the fields in the input file.
    max_chars: longest text that is accepted, in characters.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    id_field: str = "id"
    text_field: str = "text"
    lane_field: str = "lane"
    max_chars: int = 50_000


@dataclass(frozen=True)
class LaneSettings:
    """[hitl.lanes]: share of texts drawn into gold and dev; the rest is train."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    gold: float = 0.1
    dev: float = 0.1
    salt: str = "spacy-hitl"


@dataclass(frozen=True)
class PromoteSettings:
    """[hitl.promote]: what a student must reach before it replaces the prompted component.

    name: name of the promoted pipeline. version: the number its package starts with.
    floors: lowest accepted value of the main score, per task.
    label_floors: lowest accepted F of a label, per task and label.
    min_gold: smallest number of gold texts a verdict may rest on.
    require_blind: hold what rests on gold that was decided with a proposal in view.
    beats_baseline: what must be above 0 of the paired difference to the baseline: "point" (the
        figure itself) or "interval" (the lower end of its 95% interval).
    margin: how much worse than the prompted original a student may be: the lower end of the paired
        95% interval must be above its negative. None: it is not asked. margins: others, per task.
    production_margin: the same against what is in production; the end itself passes.
    min_words_per_s, max_megabytes: of each student, as it was measured.
    license, author: for the meta and the model card.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")] = "pipeline"
    floors: Dict[str, Share] = field(default_factory=dict)
    min_gold: int = 50
    version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$")] = "0.0.0"
    label_floors: Dict[str, Dict[str, Share]] = field(default_factory=dict)
    require_blind: bool = True
    beats_baseline: Literal["point", "interval"] = "point"
    margin: Optional[Share] = None
    margins: Dict[str, Share] = field(default_factory=dict)
    production_margin: Optional[Share] = None
    min_words_per_s: Optional[Cost] = None
    max_megabytes: Optional[Cost] = None
    license: str = ""
    author: str = ""


@dataclass(frozen=True)
class Price:
    """[hitl.prices] NAME = {"input": 1.0, "output": 4.0}: money per million tokens."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    input: float
    output: float


def prices_by_model(value: Any) -> Any:
    """Take prices as a list too: no name with a dot can be a key of a config.

    value (Any): A section, or entries {"model": NAME, "input": 1.0, "output": 4.0}.
    RETURNS (Any): Prices by model.
    RAISES (ValueError): If an entry names no model, or two name the same.
    """
    if not isinstance(value, (list, tuple)):
        return value
    prices: Dict[str, Any] = {}
    for entry in value:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("model"), str):
            raise ValueError('an entry needs a "model"')
        if entry["model"] in prices:
            raise ValueError(f"two prices for {entry['model']!r}")
        prices[entry["model"]] = {key: v for key, v in entry.items() if key != "model"}
    return prices


@dataclass(frozen=True)
class PrivacySettings:
    """[hitl.privacy]: what of a text may reach a model, and which models may be asked.

    mask: built-in kinds of values that are replaced by placeholders: email, phone, card, ip.
    patterns: regular expressions, by name, of more values to replace.
    local_only: refuse every model that is not on this machine or in its own network.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    mask: Tuple[Literal["email", "phone", "card", "ip"], ...] = ()
    patterns: Dict[str, str] = field(default_factory=dict)
    local_only: bool = False


@dataclass(frozen=True)
class ReviewSettings:
    """[hitl.review]: what is reviewed, in which order, by how many.

    tasks: the tasks of a session; all if empty.
    gold_share: share of the next texts that are blind gold, while there is any.
    random_share: share of the others drawn at random; never 0, or only doubtful texts are seen.
    recall_share: share of the others chosen because something may be missing in them.
    router: what orders the rest, a block as {"@misc": "spacy-hitl.Disagreement.v1"}.
    pool: how many texts a router chooses from at a time.
    seed: of all orders; the same seed gives the same order again.
    overlap: how many people decide on a text. overlap_share: on which share of the texts; on the
        others, one.
    calibration_texts: texts that everybody decides on, blind, before the queue opens.
    calibration_floor: agreement they must reach on these, 0 to 1.
    lease_minutes: how long a text is kept for who has it on the screen.
    keys: JSON file that gives actions of the page other keys.
    single_letter_keys: whether single letters are keys at all.
    max_answer_bytes: largest answer that is accepted.
    prefetch: how many texts the page holds ready.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    tasks: Tuple[str, ...] = ()
    gold_share: Share = 0.2
    random_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    recall_share: Share = 0.0
    router: Optional[Dict[str, Any]] = None
    pool: Annotated[int, Field(ge=1, le=100_000)] = 2000
    seed: int = 0
    overlap: Positive = 1
    overlap_share: Share = 1.0
    calibration_texts: Annotated[int, Field(ge=0, le=1000)] = 0
    calibration_floor: Share = 0.0
    lease_minutes: Annotated[float, Field(gt=0, le=10_000)] = 30.0
    keys: Optional[Path] = None
    single_letter_keys: bool = True
    max_answer_bytes: Positive = 1_000_000
    prefetch: Annotated[int, Field(ge=1, le=50)] = 5


@dataclass(frozen=True)
class LabelUtility:
    """[hitl.utility.TASK.labels.LABEL]: where a label differs from the rest of its task."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    right: Optional[Money] = None
    missed: Optional[Cost] = None
    spurious: Optional[Cost] = None


@dataclass(frozen=True)
class UtilitySettings:
    """[hitl.utility.TASK]: what annotations of a task are worth, in the currency of [hitl.prices].

    right: what a right annotation brings. missed, spurious: what one costs that is missing, or that
    should not be there; a wrong label is both.
    labels: other values for some labels.
    student_cost_per_1000: what it costs to run a student over 1,000 texts.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    right: Money = 0.0
    missed: Cost = 0.0
    spurious: Cost = 0.0
    labels: Dict[str, LabelUtility] = field(default_factory=dict)
    student_cost_per_1000: Cost = 0.0


@dataclass(frozen=True)
class Settings:
    """[hitl]: paths are relative to the current folder, as everywhere in spaCy.

    dataset, responses: the two SQLite files. corpus: exported files, one per task.
    training: trained students, one folder per task. metrics: figures, one file per task.
    pipelines, versions: the promoted pipeline is a link in `pipelines` to a folder in `versions`.
    changes: by task, how its labels changed since decisions were made.
    variants: named versions of the config, for prompts side by side: dotted names and their values.
    utility: by task, what annotations are worth and errors cost.
    business: what makes records of documents, a block as {"@misc": "phones.Business.v1"}; only
        `apply` resolves it.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    dataset: Path = Path("datasets/hitl.db")
    responses: Path = Path("datasets/responses.db")
    corpus: Path = Path("corpus")
    training: Path = Path("training")
    metrics: Path = Path("metrics")
    pipelines: Path = Path("pipelines")
    versions: Path = Path("versions")
    data: DataSettings = field(default_factory=DataSettings)
    lanes: LaneSettings = field(default_factory=LaneSettings)
    promote: PromoteSettings = field(default_factory=PromoteSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    prices: Annotated[Dict[str, Price], BeforeValidator(prices_by_model)] = field(
        default_factory=dict
    )
    changes: Dict[str, TaskChanges] = field(default_factory=dict)
    review: ReviewSettings = field(default_factory=ReviewSettings)
    variants: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    utility: Dict[str, UtilitySettings] = field(default_factory=dict)
    business: Optional[Dict[str, Any]] = None


def read_settings(config: Mapping[str, Any], *, path: Path) -> Settings:
    """Read the [hitl] section of a config.

    config (Mapping[str, Any]): An interpolated config.
    path (Path): Where it was read, for the error message.
    RETURNS (Settings): The settings, with defaults for what is not set.
    RAISES (InputError): If a value has the wrong type or a name is unknown.
    """
    section = config.get("hitl", {})
    if not isinstance(section, Mapping):
        raise InputError(Errors.H012.format(name="hitl", path=path, problem="not a section"))
    try:
        settings: Settings = TypeAdapter(Settings).validate_python(dict(section))
    except ValidationError as e:
        first = e.errors()[0]
        name = ".".join(str(p) for p in first["loc"])
        problem = f"not usable: {first['msg']}"
        raise InputError(Errors.H012.format(name=name, path=path, problem=problem)) from e
    shares = settings.lanes
    if not (shares.gold >= 0 and shares.dev >= 0 and shares.gold + shares.dev < 1):
        problem = f"gold {shares.gold} and dev {shares.dev}; both must be >= 0, their sum below 1"
        raise InputError(Errors.H012.format(name="lanes", path=path, problem=problem))
    mix = settings.review
    if mix.random_share + mix.recall_share > 1:
        problem = f"random {mix.random_share} and recall {mix.recall_share}; their sum is above 1"
        raise InputError(Errors.H012.format(name="review", path=path, problem=problem))
    return settings
