"""200: review."""

from .catalogue import Catalogue


class ReviewErrors(metaclass=Catalogue):
    """200: review."""

    # 200: review
    H200 = (
        "A review server is already running on '{path}', at {address}. Open its link, or "
        "finish that "
        "session, then run again."
    )
    H201 = (
        "Task '{task}' is of the kind '{kind}', which the review page can't show. It "
        "shows {kinds}. "
        "Name the other tasks with --task."
    )
    H202 = (
        "{name} can't be the name of an annotator. Expected a short name without control "
        "characters "
        "or spaces around it, that does not begin with 'import:'."
    )
    H203 = "No task of this session has the label '{label}'. Labels to choose from: {known}."
    H204 = "Can't listen on {host}, port {port}: {detail}. Choose another with --host and --port."
    H205 = "This answer can't be stored: {problem}. Open the text again and correct it."
    H206 = (
        "There is no text '{digest}' in this session. It may have been started on another dataset."
    )
    H207 = (
        "--host {host} can be reached by other machines. Say under which name they know this one: "
        "--allowed-host NAME (several times for several names)."
    )
    H208 = (
        "What the model said of this text is not shown: it is decided blind, so that it "
        "can measure "
        "the model."
    )
    H209 = '\'{path}\' is not a table of keys: {problem}. Expected {{"action": ["key", ...]}}.'
    H210 = "The request can't be read: {problem}."
    H211 = "There is no answer of yours to take back."
    H213 = "The server failed on this request ({detail}). Nothing of it was stored; try again."
    H215 = "There is no task '{task}' here that can be asked for this. There is: {known}."
    H216 = (
        "'{path}' asks no task of this session in another way. To compare two versions "
        "of a prompt, "
        "give the other one with --against (a config, or CONFIG@VARIANT), after annotating with it."
    )
    H217 = "This is a session to compare two versions: choose one, there is nothing to answer."
    H218 = "This is no session to compare two versions. Start one with --against."
    H219 = "'{value}' is not a choice. Expected one of {choices}."
    H214 = "--ssl-certfile and --ssl-keyfile go together; '{given}' was given alone."

    H220 = (
        "The router in [hitl.review] can't be made: {detail} Name a registered function that gives "
        'one, for example {{"@misc": "spacy-hitl.Disagreement.v1"}}; one of your own is found with '
        "--code FILE."
    )
    H221 = (
        "The router '{name}' can't be used: {detail}. It gets a list of Candidate and answers a "
        "list of Scored(digest, score, why), each for a text that it was given."
    )
    H222 = (
        "'{form}' can't be decided everywhere for task '{task}': {problem}. Only spans and links "
        "can, of texts outside lane gold."
    )
    H223 = "'{value}' names no place where '{form}' stands. Look for the occurrences again."
    H224 = (
        "Can't say how wrong task '{task}' would be: {found} texts of lanes train and dev have "
        "both a decision by people and a scored answer, and it takes {wanted}. Review more, then "
        "run this again."
    )
    H225 = (
        "The scores of task '{task}' are not calibrated: it takes several answers to each text "
        "('spacy hitl annotate' with --samples 3) or log-probabilities, and {wanted} decided texts "
        "with right and wrong annotations among them. 'spacy hitl confidence' says what there is."
    )
    H226 = "'{uid}' is no bulk accept in '{path}' that can be taken back: {problem}."
    H227 = "Which task? Name it with --task (with --undo, name the uid that was printed)."
    H230 = (
        "[hitl.changes.{task}] renames '{label}' in a circle. Give each old label the new one that "
        "its annotations mean now."
    )
    H231 = (
        "[hitl.changes.{task}] both renames and splits '{label}'. Keep the one that is meant: "
        "rename for one new label, split for several."
    )
    H232 = (
        "[hitl.changes.{task}] names '{label}', which is no label of the task and never was one. "
        "Its labels are: {known}."
    )
    H233 = (
        "[hitl.changes.{task}]: there is no prompted task of that name in '{path}'. Its tasks are: "
        "{known}."
    )

    H234 = (
        "Nothing to compare for {which} in the lanes {lanes}: no text was decided by two people, "
        "or by one and a model. Set overlap = 2 in [hitl.review], or count imported decisions "
        "with --imported."
    )
    H235 = (
        "A file of suspects names the text {digest} of lane gold. Students never judge gold: make "
        "the file again with 'spacy hitl suspects'."
    )
