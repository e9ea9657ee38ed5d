"""400: evaluate, 500: promote."""

from .catalogue import Catalogue


class EvidenceErrors(metaclass=Catalogue):
    """400: evaluate, 500: promote."""

    # 400: evaluate
    H400 = (
        "No gold decisions for task '{task}' in '{path}'. Review texts of the lane 'gold' (or "
        "import decisions on them) first."
    )
    H401 = "'{path}' has no component for task '{task}' (pipeline: {pipeline})."
    H402 = "'{path}' holds a row of lane '{lane}' ({where}): only gold is evaluated on."
    H403 = (
        "'{first}' and '{second}' have different [hitl.utility.{task}]. Say with --config which "
        "one holds."
    )
    H404 = (
        "[hitl.utility.{task}.labels] of '{path}' names '{label}', which is no label of the task "
        "(it has: {known})."
    )
    H405 = (
        "[hitl.utility.{name}] of '{path}' is for no task of its pipeline (it has: {known}). Name "
        "one of these."
    )
    H406 = (
        "Task '{task}' is of the kind '{kind}', which nothing but its own code "
        "knows: it can't be measured or trained. Give it one of the kinds {kinds}, if its "
        "annotations have that form."
    )
    H410 = (
        "A stratum can't be: {positive} positive of {sampled} sampled of {size}. Expected "
        "0 <= positive <= sampled <= size."
    )
    H411 = "Nothing was sampled of a stratum of {size}: nothing is known of it. Look at some of it."
    H412 = (
        "Nothing can be estimated for '{task}': no text of '{path}' that the model answered was "
        "decided by reading it, and none was accepted in bulk. Review texts of lane gold first."
    )
    H413 = (
        "Nothing can be estimated for '{task}': the {found} decided texts of '{path}' were chosen "
        "by a router, which prefers doubtful ones. Review texts of lane gold ([hitl.review] "
        "gold_share)."
    )
    H414 = (
        "There is nothing to audit with --audit: no text was accepted in bulk for {tasks}. That is "
        "done with 'spacy hitl accept'."
    )
    H415 = "--audit can't be used together with {other}."
    H420 = (
        "'{path}' can't be timed, which is done in a process of its own: {detail}. Functions of "
        "your own come there with --code FILE; --no-speed leaves speed out."
    )
    H421 = (
        "The process that times '{path}' {problem}. See whether it has enough memory, or leave "
        "speed out with --no-speed."
    )
    H422 = (
        "Gold texts, or texts that are nearly the same, are among the training texts ({count}), so "
        "that the figures would be too good: {pairs}. Run 'spacy hitl export', which leaves them "
        "out, and train again."
    )
    H423 = (
        "Gold texts, or texts that are nearly the same, are among the examples in the prompts "
        "({count}), so that the figures would be too good: {pairs}. Take them out of the file, or "
        "make it again with 'spacy hitl examples'."
    )
    H430 = (
        "'{path}' is of another evaluation of '{task}' than the figures in '{figures}'. Run "
        "'spacy hitl evaluate' for '{task}' again: it writes both."
    )
    H440 = "'{path}' is empty. Run 'spacy hitl evaluate ... --output' again: it writes this file."

    # 500: promote
    H500 = "No metrics for task '{task}' at '{path}'. Run: spacy hitl evaluate"
    H501 = (
        "'{path}' is not a trained pipeline: {detail}. Give the folder that training left, such as "
        "DIR/model-best."
    )
    H503 = "'{path}' exists and is not a link made by promote. Move it away first."
    H504 = "Components of '{first}' and '{second}' are both called '{name}'. Rename one."
    H505 = "'{path}' was measured on another component than the one in '{trained}'. {remedy}"
    H506 = (
        "'{first}' and '{second}' look words up in different vectors, and a pipeline has one "
        "table. Train both with the same [initialize] vectors."
    )
    H507 = (
        "Another run is writing to '{path}': two promotions at once could lose one. Wait for it to "
        "end and run the command again."
    )
    H508 = (
        "'{path}' does not hold what its name says: it was changed after it was promoted. Move it "
        "away, then promote again or roll back to another version."
    )
    H509 = (
        "'{link}' has no earlier version to go back to. 'spacy hitl promote CONFIG --list' shows "
        "what is kept; --to puts any of these in production."
    )
    H510 = (
        "'{name}' names {count} of the versions in '{path}', and it must be one of them. There "
        "are: {known}."
    )
    H511 = (
        "'{path}' is a version of '{found}', not of '{name}': it was promoted with another config."
    )
    H512 = "{first} and {second} can't be given together: they are for different things."
    H513 = (
        "[hitl.promote.{section}] names '{task}', and '{path}' has no such task (it has: {known})."
    )
    H520 = (
        "The meta of '{path}' does not say where the pipeline comes from. 'spacy hitl promote' "
        "writes that, and training with spacy-hitl.TaskCorpus.v1 does: a pipeline made before, or "
        "without them, has none."
    )
    H521 = "'{path}' is no pipeline: it has no meta.json. Name a folder that spacy.load opens."

    # 560: the cascade
    H560 = (
        "Only {found} decided texts of lanes dev and train for '{task}' in '{path}'; a threshold "
        "needs at least {expected}. Review more of them (gold texts never count here)."
    )
    H561 = (
        "'{name}' needs the component '{student}' before it, and the pipeline is: {pipeline}. Put "
        "it after the student that its 'student' names."
    )
    H562 = (
        "'{name}' is a '{factory}', which can't be asked how sure it is. A cascade stands after "
        "one of: {known}."
    )
    H563 = "'{name}' can't use {field} = {value}: expected {expected}."
    H564 = (
        "Say how the threshold is chosen, in one way: --budget, the share of texts to ask about, "
        "or --max-error, the share of wrong ones among those left to the student; from 0 to 1."
    )
    H565 = (
        "The student's annotation of all {total} decided texts is {which}: there is nothing to "
        "tell apart, and no threshold to choose. {remedy}"
    )
    H566 = (
        "No threshold leaves the student {kept} texts of which at most {wanted:.1%} are wrong: "
        "where it is surest, about {lowest:.1%} are. Allow a larger --max-error, or train a better "
        "student."
    )
