"""`spacy hitl review`: people decide."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, List, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code

if TYPE_CHECKING:
    from ..review.server.run import Link
    from ..review.session.compare import Preferred


@hitl_cli.command("review")
def review_cli(
    config: ConfigArgument,
    annotator: Annotated[
        Optional[List[str]],
        typer.Option("--annotator", "-a", help="Who reviews; several times for several people"),
    ] = None,
    task: Annotated[
        Optional[List[str]],
        typer.Option("--task", "-t", help="Review this task only; several times for several"),
    ] = None,
    label: Annotated[
        Optional[str], typer.Option("--label", help="One label at a time: look at this one only")
    ] = None,
    against: Annotated[
        Optional[Path],
        typer.Option("--against", help="Compare blind with another config or variant"),
    ] = None,
    adjudicate: Annotated[
        bool, typer.Option("--adjudicate", help="Settle what two people decided differently")
    ] = False,
    audit: Annotated[
        Optional[int],
        typer.Option(
            "--audit", min=1, help="Look again, blind, at so many texts that were accepted in bulk"
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", help="Port; the dataset's usual one if 0", min=0, max=65535)
    ] = 0,
    allowed_host: Annotated[
        Optional[List[str]],
        typer.Option("--allowed-host", help="Name under which other machines reach this one"),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the links, open no browser")
    ] = False,
    certfile: Annotated[
        Optional[Path], typer.Option("--ssl-certfile", help="Certificate, for https")
    ] = None,
    keyfile: Annotated[
        Optional[Path], typer.Option("--ssl-keyfile", help="Key of the certificate")
    ] = None,
    code: CodeOption = None,
) -> None:
    """Serve the review page: people check what was proposed, and every answer is stored at once.

    Prints one link per annotator. "Finish session" on the page ends the command with exit code 0;
    Ctrl+C stops it too. Either way nothing that was answered is lost, and the next session goes on.
    """
    with friendly_errors():
        from .._compat import require

        for package in ("starlette", "uvicorn"):
            require(package, extra="review")
        from ..review.server.address import Address
        from ..review.server.run import review
        from ..review.session.opening import Wanted

        import_code(code)
        names = tuple(dict.fromkeys(annotator or [getpass.getuser()]))
        summary = review(
            config,
            Wanted(names, tuple(task or ()), label, adjudicate, against, audit),
            address=Address(host, port, tuple(allowed_host or ()), certfile, keyfile),
            on_start=lambda links: _show(links, open_browser=not no_browser),
        )
        msg.good(f"Session finished: {summary.decisions} new decisions")
        if summary.outcome is not None and against is not None:
            _show_outcome(summary.outcome, config, against)


def _show(links: "List[Link]", *, open_browser: bool) -> None:
    """Print the links, and open the only one."""
    for link in links:
        typer.echo(f"{link.annotator}  {link.url}")  # a link must not be wrapped
    msg.text("Finish the session on the page, or stop it with Ctrl+C.")
    if open_browser and len(links) == 1:
        import threading
        import webbrowser

        threading.Thread(target=webbrowser.open, args=(links[0].url,), daemon=True).start()


def _show_outcome(found: "Preferred", config: Path, against: Path) -> None:
    """Say which version was preferred, now that nobody decides any more."""
    if found.share is None or found.interval is None:
        msg.info(f"No preference between {config} and {against} ({found.ties} ties)")
        return
    low, high = found.interval
    msg.info(
        f"{config} preferred {found.wins} times, {against} {found.losses} times, {found.ties} "
        f"ties: {found.share:.0%} for {config} (95% interval {low:.0%} to {high:.0%})"
    )
