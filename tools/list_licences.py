"""Writes the licences of all that MNIST Dash needs to run into docs/licences.md: `python -m tools.list_licences`."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement

from mnist_dash.config import PROJECT

DOCUMENT = PROJECT / "docs" / "licences.md"
_HEAD = """# Licences of what MNIST Dash needs

Every package that `requirements.txt` brings, directly or not, as its own metadata says; made by
`python -m tools.list_licences` on Linux with Python 3.11 (other systems may need others). All may be used, changed and
passed on; those under the LGPL or MPL as they are, beside our own code. Packages below that are not pinned in
`requirements.txt` have the version that was newest.

| package | version | licence |
| --- | --- | --- |
"""
_LONGEST = 60


def needed(requirements: str) -> dict[str, Distribution]:
    """Returns what these requirements bring, by name, as it is installed here."""
    lines = [line.partition("#")[0].strip() for line in requirements.splitlines()]
    waiting = [Requirement(line) for line in lines if line]
    found: dict[str, Distribution] = {}
    while waiting:
        requirement = waiting.pop()
        extras = requirement.extras or {""}
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        try:
            installed = distribution(requirement.name)
        except PackageNotFoundError:
            continue  # for another system
        if name in found and not requirement.extras:
            continue
        found[name] = installed
        for line in installed.requires or ():
            further = Requirement(line)
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                further.marker = None
                waiting.append(further)
    return dict(sorted(found.items()))


def licence_of(package: Distribution) -> str:
    """Returns a package's licence: its SPDX expression, else its classifiers, else its first words on it."""
    data = package.metadata
    if "License-Expression" in data:
        return data["License-Expression"]
    classifiers = [line.split(" :: ")[-1] for line in data.get_all("Classifier") or () if line.startswith("License")]
    if classifiers:
        return ", ".join(classifiers)
    words = data["License"].strip().splitlines() if "License" in data else []
    return words[0][:_LONGEST] if words else "see its files"


def main() -> None:
    """Writes the document."""
    found = needed((PROJECT / "requirements.txt").read_text(encoding="utf-8"))
    rows = [f"| {name} | {package.version} | {licence_of(package)} |\n" for name, package in found.items()]
    DOCUMENT.write_text(_HEAD + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
