"""The layout of the package: rooms, modules, imports. `lint-imports` checks the contracts of pyproject.toml besides."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "release_state"
MODULES = sorted(PACKAGE.rglob("*.py"))


def test_the_package_has_eight_files_and_twelve_rooms_at_its_root() -> None:
    files = [path for path in PACKAGE.iterdir() if path.is_file()]
    rooms = [path for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()]
    assert (len(files) <= 8, len(rooms)) == (True, 12), (files, rooms)


def test_no_folder_has_more_than_twenty_modules_and_one_run_has_ten() -> None:
    folders: dict[Path, int] = defaultdict(int)
    for module in MODULES:
        folders[module.parent] += 1
    assert {str(folder): count for folder, count in folders.items() if count > 20} == {}
    assert folders[PACKAGE / "run"] - 1 <= 10, "its __init__ holds nothing"


def test_no_file_imports_itself_on_a_detour() -> None:
    """A package that imports a module which imports the package is such a detour; the contracts compare siblings."""
    grimp = pytest.importorskip("grimp")  # Python 3.10 has none
    graph = grimp.build_graph("release_state", exclude_type_checking_imports=False, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_story_of_one_run_names_files_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    story = text[text.index("## One run") : text.index("## Words")]
    assert len(re.findall(r"^\d+\. ", story, re.MULTILINE)) == 10
    for name in re.findall(r"`([a-z_]+/[a-z_.]*)`", story):
        assert (PACKAGE / name).exists(), name


def test_no_two_public_classes_share_a_name() -> None:
    """Outside the demo world, which models other people's things by the names that they have there."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        if "demo" not in module.relative_to(PACKAGE).parts:
            for node in ast.parse(module.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].add(module.relative_to(PACKAGE).as_posix())
    assert {name: sorted(where) for name, where in found.items() if len(where) > 1} == {}
