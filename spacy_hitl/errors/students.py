"""300: distill."""

from .catalogue import Catalogue


class StudentErrors(metaclass=Catalogue):
    """300: distill."""

    # 300: distill
    H300 = (
        "Nothing to train '{task}' on in '{path}': no {what} in lane '{lane}'. Import decisions "
        "or annotate first, then export again."
    )
    H301 = "'{path}' holds rows of lane 'gold' ({where}). Export it again with 'spacy hitl export'."
    H302 = "'{path}' was exported for task '{found}', the config asks for '{task}'."
    H303 = "The pipeline has no component '{name}'. Its components are: {pipeline}."
    H304 = "Distilling from '{config}' failed: {detail}"
    H306 = "'{name}' has the labels {found}, the corpus has {known}: labels and order must agree."

    # 310: warm-up
    H310 = "'{path}' is no pipeline that spaCy can load, so it can't teach: {detail}"
    H311 = (
        "'{path}' has no component that could teach '{name}'. Its components are: {known}. Name "
        "the one that teaches with 'teacher_component'."
    )
    H312 = (
        "Component '{name}' of '{path}' is a '{found}', the student a '{wanted}': soft labels need "
        "the same factory on both sides."
    )
    H313 = (
        "The teacher '{path}' and the student '{name}' don't know the same classes, so their "
        "probabilities can't be compared. Teacher: {found}. Student: {wanted}. Teach with a "
        "pipeline that was trained on the labels of this task."
    )
    H314 = "Soft labels can't teach '{name}', a '{factory}'; only: {known}. Remove 'teacher'."
    H315 = (
        "The teacher '{path}' judges other spans than '{name}' does: its suggester is {found}, the "
        "student's {wanted}. Give both the same suggester."
    )
    H316 = (
        "min_score = {min_score} needs scores, and no proposal of task '{task}' in '{path}' has "
        "one. Annotate with several samples or log-probabilities and export again, or remove "
        "min_score."
    )
    H317 = "Warm-up of '{task}': {name} = {value} can't be used. Expected {expected}."
    H318 = (
        "No text to teach '{name}' on: {skipped} of '{path}' are texts of lane dev, and the corpus "
        "gives none. Give 'texts' a JSONL file with 'text' in each line."
    )
    H319 = (
        "neighbours = {count} needs decided texts of lane train, and the corpus '{path}' of task "
        "'{task}' has none. Review some first, or remove neighbours."
    )

    # 320: the training corpus
    H320 = (
        "TaskCorpus for '{task}' writes rejected spans to doc.spans['{key}'], but {component}. Set "
        "incorrect_spans_key to the same on both sides, or leave it out of the reader: it takes "
        "the component's."
    )
    H321 = (
        "weights of the TaskCorpus for '{task}': {problem}. Expected how often each kind of "
        "evidence comes, a whole number from 0, for any of: {known}."
    )
    H322 = (
        "weights of the TaskCorpus for '{task}' give '{kind}' the weight {weight}, but it is not "
        "read: {option} is false. Change one of them."
    )
    H323 = (
        "near_duplicates is {value}. Expected a similarity above 0 and up to 1 (to keep all texts: "
        "null in a config, 0 in 'spacy hitl export')."
    )
    H324 = (
        "Nothing in '{path}' can train '{task}' in lane '{lane}'. Left out were: {detail}. Decide "
        "on more texts, or change the options of the reader."
    )
    H325 = (
        "Task '{task}' ({kind}): its component takes what is not annotated as wrong, so that "
        "nothing can be left open. Leave the text out."
    )
    H326 = (
        "incorrect_spans_key is for entities (kind 'ner'), and '{task}' is of kind '{kind}'. "
        "Remove it."
    )

    # 330: relations
    H330 = (
        "'{name}' has no relation to learn from: none of {total} examples has one in doc._.rel. "
        "Check the lane and the labels, or export the corpus again."
    )
    H331 = (
        "'{name}' looks at no pair of mentions that is related: not in '{example}', and in no "
        "other text. Mentions have to stand in doc.ents, on token boundaries, and not further "
        "apart than 'max_distance' of 'instances'."
    )
    H332 = "'{path}' is the corpus of a task of kind '{kind}': mentions come from {known}."
    H333 = "Task '{task}' is of kind '{kind}': 'mentions' is for tasks of kind 'relations' only."

    # 340: search, curve
    H340 = (
        "'{config}' can't be tried out on parts of its corpus: {problem}. Read both corpora with "
        "spacy-hitl.TaskCorpus.v1, and warm up with spacy-hitl.distill.v1 or not at all."
    )
    H341 = (
        "Too few reviewed texts to deal out: {train} in lane train and {dev} in lane dev; expected "
        "at least {min_train} and {min_dev} (near-duplicates count once). Review more, then export."
    )
    H342 = (
        "Nothing to compare for task '{task}' of '{path}': no undecided text of lane train has a "
        "usable proposal. Annotate more texts and export again, or leave --search out."
    )
    H343 = "A training on a part of the corpus failed: {detail}"
    H344 = "No mix of '{config}' can be trained:\n{detail}"
    H345 = "{options} don't go together: {why}."
    H346 = "--minutes is {minutes:g}, expected more than 0."

    # 360: one base, vectors
    H360 = (
        "'{path}' has no '{name}' to put a student on (components: {found}). Give a pipeline with "
        "a shared tok2vec, such as one trained with spacy-hitl.distill_base.v1."
    )
    H361 = (
        "A base can't learn task '{task}' of kind '{kind}', only: {known}. Leave it out of 'tasks'."
    )
    H362 = "No text to learn words from in: {paths}. Texts of lane gold are never read."
    H363 = "Too few words to learn vectors from in: {paths}. A few thousand texts are a start."

    # 370: a student's config
    H370 = "{option} {given}. Expected {expected}."
    H371 = (
        "{option} {given} does not fit the corpus '{path}', which says: {found}. Leave the option "
        "out, or give another corpus."
    )
    H372 = "'{path}' exists and was not changed. Give another name, or --force to replace it."
    H373 = (
        "Can't read a pretrained transformer from '{name}': {detail} Give the folder of one, or "
        "its name on the hub."
    )
    H374 = (
        "The transformer '{name}' is of type '{found}'. Students can be made of these types: "
        "{known}."
    )
    H375 = "'{path}' is no name of a config. Give a file that ends in .cfg, or - for stdout."

    # 380: entities from little data
    H380 = (
        "'{name}' can't be trained in members: {problem}. Expected a 'ner' with use_upper = true "
        "whose tok2vec is a concatenate.v1 of encoders, and a hidden_width that they can share; "
        "before it, where there is a ruler, an 'entity_ruler'."
    )
    H381 = (
        "'{name}' has nothing to learn: none of {count} examples has an entity. Check the corpus "
        "and its labels."
    )
    H382 = "Members of '{name}': {option} is {value}. Expected {expected}."
    H383 = (
        "Only {words} words come at least {least} times in {texts} texts: too few for vectors of "
        "width {width}. Give more 'texts', or leave the vectors out."
    )

    H350 = (
        "'{path}' does not say which corpus to look for label errors in: its [{name}] is read by "
        "{found}. Expected '@readers = \"spacy-hitl.TaskCorpus.v1\"' with 'path' and 'task'."
    )
    H351 = (
        "'{name}' is a {factory}: it can't be asked how likely an annotation is. Components that "
        "can are: {known}."
    )
    H352 = (
        "{minutes} minutes do not suffice to look for label errors: one round of {folds} students "
        "takes about {wanted}. Give more with --minutes, or train for fewer steps."
    )
    H353 = (
        "Can't look for label errors with {problem}: it takes at least 2 folds, 1 round and some "
        "minutes."
    )
    H354 = (
        "'{path}' has {count} texts with a decision or a usable proposal: to look for label errors "
        "with {folds} folds, it takes at least {wanted}."
    )
