"""Start a review server: dataset, queue, links, and an end that a workflow understands."""

import asyncio
import logging
import socket
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Optional, Tuple

from ...dataset.reviews import logins
from ...errors import InputError
from ..queue.ranker import Ranker
from ..session.catalogs import Catalogs
from ..session.compare import Preferred
from ..session.evidence import Evidence
from ..session.opening import Project, Wanted, open_session, read_project
from ..session.preferring import outcome
from ..session.purposes import Comparing
from ..session.session import Session
from .address import Address, listen, place_digest
from .api import Api
from .claim import announced, claim_dataset
from .security import LOGIN_DAYS, Doorkeeper, Gate
from .server import Site, make_app
from .serving import serve
from .worker import Worker

log = logging.getLogger("spacy_hitl")
FIRST, FEW = 100, 25  # texts ranked before the start, and at a time between two requests


@dataclass(frozen=True)
class Link:
    """The way in for one annotator."""

    annotator: str
    url: str


@dataclass(frozen=True)
class ReviewSummary:
    """What a session did, until it was finished. outcome: of two versions that were compared."""

    decisions: int
    outcome: Optional[Preferred] = None


def review(
    config_path: Path,
    wanted: Wanted,
    *,
    address: Optional[Address] = None,
    on_start: Callable[[List[Link]], None] = lambda links: None,
) -> ReviewSummary:
    """Serve the review page until somebody finishes the session.

    config_path (Path): Config of a prompted pipeline, with a [hitl] section.
    wanted (Wanted): What the session is to be, and who reviews.
    address (Optional[Address]): Where to listen; on this machine only if not given.
    on_start (Callable[[List[Link]], None]): Called with the links once they work.
    RETURNS (ReviewSummary): What was done.
    RAISES (InputError): If config, names or address can't be used.
    RAISES (StateError): If there is no dataset, or another process works on it.
    RAISES (KeyboardInterrupt): If the session was stopped by Ctrl+C; what was stored stays.
    """
    address = address or Address()
    address.check()
    project = read_project(config_path, wanted)
    path = project.settings.dataset
    with claim_dataset(path) as dataset, closing(listen(address, path)) as listener:
        session = open_session(project, dataset)
        before = dataset.count("decisions")
        if _serve(project, session, address, listener, on_start) is not None:
            raise KeyboardInterrupt
        found = outcome(session) if isinstance(project.purpose, Comparing) else None
        return ReviewSummary(dataset.count("decisions") - before, found)


def _serve(
    project: Project,
    session: Session,
    address: Address,
    listener: socket.socket,
    on_start: Callable[[List[Link]], None],
) -> Optional[int]:
    """RETURNS (Optional[int]): The signal that ended the session, if one did."""
    settings, names = project.settings, project.wanted.annotators
    port = listener.getsockname()[1]
    url = address.url(port)
    doorkeeper, links = _open_doors(session, names, url)
    catalogs = Catalogs(session.plan)
    threading.Thread(target=catalogs.prepare, name="hitl-catalogs", daemon=True).start()
    evidence = Evidence(project.nlp, project.prompted, settings.responses, settings.privacy)
    about = {
        "project": settings.dataset.resolve().parent.parent.name,
        "dataset": place_digest(settings.dataset),
        "keys": project.keys,
        "single_letter_keys": settings.review.single_letter_keys,
        "prefetch": settings.review.prefetch,
        "can_finish": True,
    }
    ranker = session.sight.ranker
    if ranker is not None:
        ranker.step(FIRST)  # so that the first text that is handed out is no matter of chance
    finished, worker = asyncio.Event(), Worker()
    site = Site(
        api=Api(session, catalogs, evidence, about),
        worker=worker,
        gate=Gate(address.all_names),
        doorkeeper=doorkeeper,
        cookie=f"hitl_{port}",
        finish=finished.set,
        secure=address.secure,
        max_bytes=settings.review.max_answer_bytes,
    )
    try:
        with announced(settings.dataset, url):
            return serve(
                make_app(site),
                listener,
                finished,
                certfile=address.certfile,
                keyfile=address.keyfile,
                beside=lambda: _keep_ranked(ranker, worker),
                on_start=lambda: on_start(links),
            )
    finally:
        worker.close()


def _open_doors(
    session: Session, names: Tuple[str, ...], url: str
) -> Tuple[Doorkeeper, List[Link]]:
    since = session.now() - LOGIN_DAYS * 24 * 3600
    doorkeeper = Doorkeeper(names, logins(session.dataset, since=since))
    return doorkeeper, [Link(n, f"{url}/?token={doorkeeper.make_token(n)}") for n in names]


async def _keep_ranked(ranker: Optional[Ranker], worker: Worker) -> None:
    """Rank texts between requests, until cancelled. A router that fails is reported, and not asked
    again: its texts come at random.
    """
    try:
        while ranker is not None:
            more = await worker.run(lambda: ranker.step(FEW))
            await asyncio.sleep(0.01 if more else 1.0)
    except InputError as e:
        log.error("%s", e)
