"""The revision of the code that runs here."""

import os
from pathlib import Path

REVISION_VARIABLE = "SOURCE_REVISION"
"""Set in the image; no setting of ours, for it is not for people to choose."""

CHECKOUT = Path(__file__).parents[2]


def revision(checkout: Path = CHECKOUT) -> str:
    """The commit that runs here, 12 digits.

    An image is told it when it is built, a checkout has it; elsewhere it is empty.
    """
    said = os.environ.get(REVISION_VARIABLE, "")
    return (said or _checked_out(checkout / ".git"))[:12]


def _checked_out(git: Path) -> str:
    try:
        if git.is_file():
            git = git.parent / git.read_text().removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text().strip()
        common = git / "commondir"
        shared = git / common.read_text().strip() if common.exists() else git
        name = head.removeprefix("ref:").strip()
        return head if name == head else _commit_of(shared, name)
    except OSError:
        return ""


def _commit_of(git: Path, name: str) -> str:
    if (git / name).exists():
        return (git / name).read_text().strip()
    packed = (git / "packed-refs").read_text().splitlines()
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
