"""Optional packages: found without importing, asked for with the command that installs them."""

from importlib.util import find_spec

from .errors import Errors, InputError


def require(package: str, *, extra: str) -> None:
    """Refuse to go on without an optional package.

    package (str): Import name of the package.
    extra (str): The extra of spacy-hitl that installs it.
    RAISES (InputError): If the package is not installed; the message holds the pip command.
    """
    if find_spec(package) is None:
        raise InputError(Errors.H009.format(package=package, extra=extra))
