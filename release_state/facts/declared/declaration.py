"""The version that a tree declares for a package, and the other versions that the package's source states (pure)."""

from __future__ import annotations

from msgspec import structs
from packaging.version import Version

from release_state.common.source import find_value
from release_state.facts.declared.backends import find_in_pyproject
from release_state.facts.declared.claims import find_claims
from release_state.facts.declared.files import list_modules
from release_state.facts.declared.tree import Declaration, Folder, Tree, find_folder, list_names, unreadable
from release_state.model.target import parse_version

_INNER = ("__about__.py", "__version__.py", "_version.py", "version.py")


def list_usual_files(package: str) -> tuple[str, ...]:
    """Return the paths at which a package (its name normalized) mostly states its version, beside its configuration."""
    return tuple(
        dict.fromkeys(
            (*list_modules(package.replace("-", "_"), inner=_INNER), *list_modules(package.replace("-", ".")))
        )
    )


def find_declaration(tree: Tree, package: str = "", version: Version | None = None) -> Declaration:
    """Return the version that a tree declares for a package, whose name is normalized; without one, for its top.

    In a monorepo the folder that names the package counts, never the top of the tree. If it declares another one than
    `version`, the other projects are looked at that declare that.
    """
    found = _find_own(tree, package)
    if version is None or found.is_dynamic or parse_version(found.version or "") == version:
        return found
    return structs.replace(found, claims=find_claims(tree, package, version))


def _find_own(tree: Tree, package: str) -> Declaration:
    folder = find_folder(tree, package)
    if folder is None:
        nothing = unreadable(f"no pyproject.toml, setup.cfg or setup.py of the tree names {package}")
        return structs.replace(nothing, packages=list_names(tree))
    found = structs.replace(find_in_pyproject(folder), folder=folder.path)
    return found.add(_find_others(folder, found, package)) if found.version else found


def _find_others(folder: Folder, declared: Declaration, package: str) -> tuple[tuple[str, str], ...]:
    """Files of the package's module with another literal `__version__`, which is no placeholder such as 0.0.0."""
    version, others = parse_version(declared.version or ""), []
    for path in list_usual_files(package or folder.name or ""):
        text = folder.read(path) if folder.where(path) != declared.where else None
        value = find_value(text, "__version__") if text else None
        stated = parse_version(value) if isinstance(value, str) else None
        if version and stated and stated != version and any(stated.release) and not stated.local:
            others.append((folder.where(path), str(value)))
    return tuple(others)
