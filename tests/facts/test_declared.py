"""The version that a tree declares: by the rules of each build backend, in the folder of the package."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.common.source import find_value, read_assignments
from release_state.facts.declared.declaration import find_declaration
from release_state.facts.declared.files import match_pattern
from release_state.facts.declared.tree import Folder
from release_state.observe.next_version.rules import find_project_name
from release_state.settings.names import find_name
from tests.support.texts import Texts

PROJECT = '[project]\nname = "orbit-kit"\n'
DYNAMIC = f'{PROJECT}dynamic = ["version"]\n'
LITERAL = '__version__ = "1.2.0"\n'
SETUP = "from setuptools import setup\nsetup(name='orbit-kit', {})\n"
COMPUTED = "from importlib.metadata import version\n__version__ = version('orbit-kit')\n"


def built_by(backend: str, more: str = "", head: str = DYNAMIC, requires: str = "") -> str:
    return f'[build-system]\nrequires = [{requires}]\nbuild-backend = "{backend}"\n{head}{more}'


def hatch(table: str) -> str:
    return built_by("hatchling.build", f"[tool.hatch.version]\n{table}\n")


def setuptools(table: str, requires: str = "") -> str:
    return built_by("setuptools.build_meta", f"[tool.setuptools.dynamic]\nversion = {table}\n", requires=requires)


def maturin(more: str = "") -> str:
    return built_by("maturin", more)


def scikit(table: str) -> str:
    return built_by("scikit_build_core.build", f"[tool.scikit-build.metadata.version]\n{table}\n")


def pdm(table: str) -> str:
    return built_by("pdm.backend", f"[tool.pdm.version]\n{table}\n")


# What the tree holds, beside pyproject.toml; the file that states 1.2.0.
STATIC: dict[str, tuple[str, dict[str, str], str]] = {
    "project": (f'{PROJECT}version = "1.2.0"', {}, "pyproject.toml"),
    "poetry": ('[tool.poetry]\nname = "orbit-kit"\nversion = "1.2.0"', {}, "pyproject.toml"),
    "poetry and project": (f'{DYNAMIC}[tool.poetry]\nversion = "1.2.0"', {}, "pyproject.toml"),
    "hatch": (
        hatch('path = "./src/orbit/__about__.py"'),
        {"src/orbit/__about__.py": LITERAL},
        "src/orbit/__about__.py",
    ),
    "hatch, a pattern": (
        hatch("path = 'v.py'\npattern = \"NUMBER = '(?P<version>[^']+)'\""),
        {"v.py": "NUMBER = '1.2.0'"},
        "v.py",
    ),
    "hatch, a whole file": (hatch("path = 'V'\npattern = '^(?P<version>.+)$'"), {"V": "1.2.0\n"}, "V"),
    "hatch, code": (hatch('source = "code"\npath = "v.py"'), {"v.py": LITERAL}, "v.py"),
    "hatch, package.json": (hatch('source = "nodejs"'), {"package.json": '{"version": "1.2.0"}'}, "package.json"),
    "hatch.toml": (built_by("hatchling.build"), {"hatch.toml": '[version]\npath = "v.py"', "v.py": LITERAL}, "v.py"),
    "setuptools, attr": (
        setuptools('{attr = "orbit.__version__"}'),
        {"orbit/__init__.py": LITERAL},
        "orbit/__init__.py",
    ),
    "setuptools, attr in src": (
        setuptools('{attr = "orbit.v.V"}'),
        {"src/orbit/v.py": "V = (1, 2, 0)"},
        "src/orbit/v.py",
    ),
    "setuptools, attr in a folder of its own": (
        setuptools('{attr = "orbit.__version__"}') + '[tool.setuptools.package-dir]\norbit = "code"\n',
        {"code/__init__.py": LITERAL},
        "code/__init__.py",
    ),
    "setuptools, attr that is imported": (
        setuptools('{attr = "orbit.__version__"}'),
        {
            "orbit/__init__.py": "from . import _version\n__version__ = _version.NUMBER\n",
            "orbit/_version.py": "NUMBER = '1.2.0'",
        },
        "orbit/_version.py",
    ),
    "setuptools, file": (setuptools('{file = ["VERSION"]}'), {"VERSION": "1.2.0\n"}, "VERSION"),
    "setuptools, setup.cfg": (
        built_by("setuptools.build_meta"),
        {"setup.cfg": "[metadata]\nversion = 1.2.0"},
        "setup.cfg",
    ),
    "no backend, hatch's table": (f'{DYNAMIC}[tool.hatch.version]\npath = "v.py"', {"v.py": LITERAL}, "v.py"),
    "a wrapper of the project's own": (
        built_by("own_backend", '[tool.hatch.version]\npath = "v.py"'),
        {"v.py": LITERAL},
        "v.py",
    ),
    "flit": (built_by("flit_core.buildapi"), {"src/orbit_kit/__init__.py": LITERAL}, "src/orbit_kit/__init__.py"),
    "flit, a module": (
        built_by("flit_core.buildapi", '[tool.flit.module]\nname = "orbit"'),
        {"orbit.py": LITERAL},
        "orbit.py",
    ),
    "pdm": (pdm('source = "file"\npath = "v.py"'), {"v.py": LITERAL}, "v.py"),
    "maturin": (maturin(), {"Cargo.toml": '[package]\nversion = "1.2.0"'}, "Cargo.toml"),
    "maturin, a manifest": (
        maturin('[tool.maturin]\nmanifest-path = "rs/Cargo.toml"'),
        {
            "rs/Cargo.toml": "[package]\nversion.workspace = true",
            "Cargo.toml": '[workspace.package]\nversion = "1.2.0"',
        },
        "Cargo.toml",
    ),
    "scikit-build-core": (
        scikit('provider = "scikit_build_core.metadata.regex"\ninput = "v.py"'),
        {"v.py": LITERAL},
        "v.py",
    ),
    "meson": (built_by("mesonpy"), {"meson.build": "project('orbit', 'c',\n  version: '1.2.0')"}, "meson.build"),
    "setup.cfg": ("", {"setup.cfg": "[metadata]\nname = orbit-kit\nversion = 1.2.0"}, "setup.cfg"),
    "setup.cfg, beside a tool that only lists files": (
        '[build-system]\nrequires = ["setuptools", "setuptools_scm"]\nbuild-backend = "setuptools.build_meta"',
        {"setup.cfg": "[metadata]\nname = orbit-kit\nversion = 1.2.0"},
        "setup.cfg",
    ),
    "setup.cfg, attr": (
        "",
        {
            "setup.cfg": "[metadata]\nversion = attr: orbit.V\n[options]\npackage_dir =\n  =lib",
            "lib/orbit.py": "V = '1.2.0'",
        },
        "lib/orbit.py",
    ),
    "setup.cfg, file": (
        "",
        {"setup.cfg": "[metadata]\nversion = file: VERSION.txt", "VERSION.txt": "1.2.0"},
        "VERSION.txt",
    ),
    "setup.py": ("", {"setup.py": SETUP.format("version='1.2.0'")}, "setup.py"),
    "setup.py, a name": ("", {"setup.py": "VERSION = '1.2.0'\n" + SETUP.format("version=VERSION")}, "setup.py"),
    "setup.py, an import": (
        "",
        {"setup.py": "from orbit.v import V\n" + SETUP.format("version=V"), "orbit/v.py": "V = '1.2.0'"},
        "orbit/v.py",
    ),
    "setup.py, a file that it reads": (
        "",
        {
            "setup.py": "text = open(join('src', 'orbit', 'v.py')).read()\n" + SETUP.format("version=find(text)"),
            "src/orbit/v.py": LITERAL,
        },
        "src/orbit/v.py",
    ),
}


@pytest.mark.parametrize("name", STATIC)
def test_a_static_version_is_read(name: str) -> None:
    pyproject, files, where = STATIC[name]
    found = find_declaration(Texts({**files, **({"pyproject.toml": pyproject} if pyproject else {})}), "orbit-kit")
    assert (found.version, found.is_dynamic, found.where) == ("1.2.0", False, where)


ALIEN = {"orbit_kit/__init__.py": '__version__ = "0.1.0"\n'}
"""A literal that no declaration points to: it counts nowhere here."""


@pytest.mark.parametrize(
    ("files", "tool"),
    [
        ({"pyproject.toml": hatch('source = "vcs"')}, "hatch (vcs)"),
        ({"pyproject.toml": hatch('source = "uv-dynamic-versioning"')}, "hatch (uv-dynamic-versioning)"),
        ({"pyproject.toml": hatch('source = "versioningit"')}, "hatch (versioningit)"),
        ({"pyproject.toml": built_by("setuptools.build_meta", requires='"setuptools-scm[toml]>=8"')}, "setuptools-scm"),
        ({"pyproject.toml": f"{DYNAMIC}[tool.setuptools_scm]"}, "setuptools_scm"),
        ({"pyproject.toml": "[tool.setuptools_scm]", "setup.py": SETUP.format("")}, "setuptools_scm"),
        ({"pyproject.toml": setuptools('{attr = "own.version"}', '"versioningit"')}, "versioningit"),
        ({"pyproject.toml": pdm('source = "scm"')}, "pdm-backend (scm)"),
        ({"pyproject.toml": pdm('source = "call"\ngetter = "a:b"')}, "pdm-backend (call)"),
        ({"pyproject.toml": scikit('provider = "scikit_build_core.metadata.setuptools_scm"')}, "setuptools_scm"),
        (
            {"pyproject.toml": '[tool.poetry]\nversion = "0.0.0"\n[tool.poetry-dynamic-versioning]\nenable = true'},
            "poetry-dynamic-versioning",
        ),
        ({"pyproject.toml": built_by("mesonpy"), "meson.build": "project('x', version: run_command('v'))"}, "meson"),
        ({"setup.py": SETUP.format("use_scm_version=True")}, "use_scm_version"),
        ({"setup.py": SETUP.format("pbr=True")}, "pbr"),
        ({"setup.py": "import versioneer\n" + SETUP.format("version=versioneer.get_version()")}, "versioneer"),
        ({"setup.py": SETUP.format(""), "setup.cfg": "[versioneer]\nVCS = git"}, "versioneer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_version_that_a_tool_computes_is_dynamic(files: dict[str, str], tool: str) -> None:
    found = find_declaration(Texts({**ALIEN, **files}))
    assert (found.version, found.is_dynamic) == (None, True) and found.where.startswith(tool)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "no pyproject.toml, setup.cfg or setup.py"),
        ({"pyproject.toml": PROJECT}, "has no version"),
        ({"pyproject.toml": f"{PROJECT}version = 1.0"}, "no text"),
        ({"pyproject.toml": f'{PROJECT}version = ""'}, "empty"),
        ({"pyproject.toml": "[project"}, "not valid TOML"),
        ({"pyproject.toml": "\0"}, "not valid TOML"),
        ({"pyproject.toml": built_by("own_backend")}, "leaves it to own_backend"),
        ({"pyproject.toml": hatch('source = "weather"')}, "weather"),
        ({"pyproject.toml": hatch('path = "v.py"')}, "v.py is not in the tree"),
        ({"pyproject.toml": hatch('path = "v.py"'), "v.py": COMPUTED}, "v.py has no literal version"),
        ({"pyproject.toml": hatch('path = "../v.py"'), "../v.py": LITERAL}, "not in the tree"),
        ({"pyproject.toml": hatch('path = "/etc/v.py"'), "/etc/v.py": LITERAL}, "not in the tree"),
        ({"pyproject.toml": setuptools('{attr = "orbit.V"}'), "orbit/__init__.py": COMPUTED}, "no literal V"),
        ({"pyproject.toml": setuptools('{attr = "orbit.V"}')}, "orbit.V is in no file"),
        ({"pyproject.toml": setuptools('{file = "VERSION"}'), "VERSION": "see the tag"}, "VERSION"),
        ({"pyproject.toml": maturin()}, "Cargo.toml is not in the tree"),
        ({"pyproject.toml": maturin(), "Cargo.toml": "[package]\nversion.workspace = true"}, "workspace"),
        ({"setup.py": SETUP.format("version=compute()")}, "setup.py computes it"),
        ({"setup.py": "setup(name='a', version='1')\nsetup(name='b', version='2')\n"}, "setup.py computes it"),
        ({"setup.py": "setup(version=VERSION)\nVERSION = '1'\nVERSION += '.dev'\n"}, "setup.py computes it"),
        ({"setup.cfg": "[metadata\nversion = 1"}, "no pyproject.toml"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_version_that_cannot_be_read_says_why(files: dict[str, str], why: str) -> None:
    found = find_declaration(Texts({**ALIEN, **files}))
    assert (found.version, found.is_dynamic) == (None, False) and why in found.where


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("__version__ = '1.0'", "1.0"),
        ("__version__: Final[str] = '1.0'  # now", "1.0"),
        ("version = __version__ = u'1.0'; x = 1", "1.0"),
        ("V = [1, 0]\n__version__ = '.'.join(map(str, V))", "1.0"),
        ("if True:\n    __version__ = '1.0'", "1.0"),
        ("def f():\n    __version__ = '9'\nclass C:\n    __version__ = '8'\n__version__ = '1.0'", "1.0"),
        ('"""\n__version__ = \'9\'\n"""\n# __version__ = "8"\n__version__ = "1.0"', "1.0"),
        ("f(__version__='9')\n__version__ = '1.0'\nx.__version__ = '8'", "1.0"),
        # Which of two values it has is not told.
        ("__version__ = '1.0'\n__version__ = '1.1'", None),
        ("try:\n    from x import __version__\nexcept ImportError:\n    __version__ = '1.0'", None),
        ("if x: __version__ = '1.0'\nelse: __version__ = '2.0'", None),
        ("__version__ = '1.0'\n__version__ += '.dev'", None),
        ("__version__ = '1.0'\nimport __version__", None),
        ("__version__ = f'1.0'", None),
        ("__version__ = b'1.0'", None),
        ("__version__ = '1' '.0'", None),
        ("__version__ = '1\\x2e0'", None),
        ("__version__ = '1.0' if x else '2.0'", None),
        ("__version__ = (1, minor)", None),
        ("__version__ = __version__", None),
        ("'''\n__version__ = '1.0'", None),
        ("\0__version__ = '1.0'", None),
        ("", None),
    ],
)
def test_literals_of_a_module(text: str, value: str | None) -> None:
    assert find_value(text, "__version__") == value


def test_source_that_is_made_to_take_long() -> None:
    for text in (
        "(" * 10**4,
        "x = " + "(" * 10**4,
        "setup(" * 10**3,
        "=" * 10**4,
        "a = b = " * 10**3,
        "x = '" + "\\" * 10**4,
    ):
        read_assignments(text)
        assert find_declaration(Texts({"setup.py": text})).version is None


def test_pattern_that_is_made_to_take_long() -> None:
    for pattern in (
        "(?P<version>(a+)+)$",
        "(?P<version>a*a*a*a*a*)$",
        "(?P<version>(a|a)*)$",
        "(?P<version>(?:a{1,9}){1,99})$",
        "(?P<version>a+)(?P=version)+$",
        "(?P<version>a)" + "b" * 10**4,
    ):
        assert match_pattern(pattern, "a" * 300 + "!") is None
    assert match_pattern("V=(?P<version>[0-9.]+)", "x\nV=1.0\n") == "1.0"
    assert match_pattern("a+b+c+(?P<version>[0-9]+)", "abc1") is None, "four may take long"
    assert match_pattern("a{1}b{1}c{1}d{1}(?P<version>[0-9]+)", "abcd1") == "1", "a fixed number takes no time"
    assert match_pattern("V=([0-9.]+)", "V=1.0") is None and match_pattern("(", "(") is None


MONOREPO = {
    "pyproject.toml": '[project]\nname = "workspace"\nversion = "0.0.0"\n',
    "examples/orbit-kit/pyproject.toml": f'{PROJECT}version = "9.9"\n',
    "packages/kit/pyproject.toml": '[project]\nname = "Orbit_Kit"\nversion = "1.2.0"\n',
    "packages/other/pyproject.toml": '[project]\nname = "other"\nversion = "3.0"\n',
}


def test_the_folder_of_the_package_counts() -> None:
    found = find_declaration(Texts(MONOREPO), "orbit-kit")
    assert (found.version, found.where) == ("1.2.0", "packages/kit/pyproject.toml")
    missing = find_declaration(Texts(MONOREPO), "absent")
    assert missing.version is None and "names absent" in missing.where
    assert missing.packages == ("workspace", "orbit-kit", "other") and found.packages == ()
    unread = find_declaration(Texts({**MONOREPO, "packages/more/setup.py": "setup(name=compute())"}), "absent")
    assert unread.packages == (), "one of them may be it"
    unnamed = find_declaration(Texts({"setup.py": "setup(name=compute(), version='1.2.0')"}), "absent")
    assert unnamed.version == "1.2.0", "nothing else can build it"


@pytest.mark.parametrize(
    ("path", "text", "is_told"),
    [
        ("src/orbit_kit/__init__.py", "__version__ = '0.1.0'", True),
        ("orbit_kit/__about__.py", "__version__ = '1.2.0.dev1'", True),
        ("orbit/kit/__init__.py", "__version__ = '0.1.0'", True),
        ("orbit_kit.py", "__version__ = '0.1.0'", True),
        ("src/orbit_kit/__init__.py", "__version__ = '1.2'", False),
        ("src/orbit_kit/__init__.py", "__version__ = '0.0.0'", False),
        ("src/orbit_kit/__init__.py", "__version__ = '0+unknown'", False),
        ("src/orbit_kit/__init__.py", "__version__ = 'latest'", False),
        ("src/orbit_kit/__init__.py", "VERSION = '0.1.0'", False),
        ("src/orbit_kit/__init__.py", COMPUTED, False),
        ("src/orbit_kit/api/__init__.py", "__version__ = '0.1.0'", False),
        ("src/another/__init__.py", "__version__ = '0.1.0'", False),
        ("tests/orbit_kit/__init__.py", "__version__ = '0.1.0'", False),
    ],
)
def test_another_version_in_the_package(path: str, text: str, is_told: bool) -> None:
    """Only a literal `__version__` of the package's own module that is no placeholder."""
    found = find_declaration(Texts({"pyproject.toml": f'{PROJECT}version = "1.2.0"', path: text}), "orbit-kit")
    assert [where for where, _ in found.others] == ([path] if is_told else [])
    dynamic = find_declaration(Texts({"pyproject.toml": hatch('source = "vcs"'), path: text}), "orbit-kit")
    assert not dynamic.others, "the build writes it"


NAMES: dict[str, tuple[dict[str, str], str | None]] = {
    "project": ({"pyproject.toml": PROJECT}, "orbit-kit"),
    "blanks around it": ({"pyproject.toml": "[tool.poetry]\nname = ' Orbit.Kit '"}, "Orbit.Kit"),
    "flit": ({"pyproject.toml": "[tool.flit.metadata]\nmodule = 'orbit'"}, "orbit"),
    "flit, another name": ({"pyproject.toml": "[tool.flit.metadata]\nmodule = 'orbit'\ndist-name = 'kit'"}, "kit"),
    "a blank one": ({"pyproject.toml": "[project]\nname = ' '", "setup.cfg": "[metadata]\nname = orbit"}, "orbit"),
    "a blank one in setup.cfg": ({"setup.cfg": "[metadata]\nname =", "setup.py": "setup(name='orbit')"}, "orbit"),
    "no name of a package": ({"pyproject.toml": "[project]\nname = '{{ x }}'", "setup.py": "setup(name='x')"}, None),
    "no text": ({"pyproject.toml": "[project]\nname = 1", "setup.cfg": "[metadata]\nname = orbit"}, None),
    "not valid": ({"pyproject.toml": "[", "setup.cfg": "[metadata]\nname = orbit"}, None),
    "not read": ({"setup.cfg": "\0", "setup.py": "setup(name='orbit')"}, None),
    "computed": ({"setup.py": "setup(name=find())"}, None),
    "no package of uv": ({"pyproject.toml": f"{PROJECT}[tool.uv]\npackage = false"}, None),
    "built, though": ({"pyproject.toml": f"{PROJECT}[tool.uv]\npackage = false\n[build-system]"}, "orbit-kit"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "name"), NAMES.values(), ids=NAMES)
def test_the_name_is_the_same_for_each_that_asks(files: dict[str, str], name: str | None, tmp_path: Path) -> None:
    for path, text in files.items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    found = find_name(tmp_path, "octo/orbits")
    assert (found and found.text) == find_project_name(files) == name
    assert (Folder(Texts(files)).name or None) == (canonicalize_name(name) if name else None)


@pytest.mark.parametrize("name", ["'{{ x }}'", "'other'\n[tool.uv]\npackage = false"])
def test_a_top_that_is_no_package_declares_no_version_of_one(name: str) -> None:
    tree = Texts({"pyproject.toml": f"[project]\nversion = '1.2.0'\nname = {name}\n"})
    assert find_declaration(tree, "orbit-kit").version is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("packages/core/pyproject.toml", '[project]\nname = "core"\nversion = "2.0"'),
        ("packages/core/setup.cfg", "[metadata]\nname = core\nversion = 2.0.0\n"),
        ("ui/package.json", '{"name": "ui", "version": "2.0.0"}'),
        ("Cargo.toml", '[package]\nname = "core"\nversion = "2.0.0"'),
        ("Cargo.toml", '[workspace.package]\nversion = "2.0.0"'),
    ],
)
def test_another_project_of_the_tree_declares_the_version(path: str, text: str) -> None:
    own = {"py/pyproject.toml": f'{PROJECT}version = "1.2.0"', path: text}
    tree = Texts(
        {**own, "tests/data/pyproject.toml": '[project]\nname = "x"\nversion = "2.0"', "bad/package.json": "{"}
    )
    claims = find_declaration(tree, "orbit-kit", Version("2.0.0")).claims
    assert claims == (path,)
    for version in ("1.2.0", "3.0"):
        assert find_declaration(tree, "orbit-kit", Version(version)).claims == ()
    assert find_declaration(tree, "orbit-kit").claims == ()
    dynamic = Texts({**tree.texts, "py/pyproject.toml": built_by("setuptools.build_meta", requires='"setuptools-scm"')})
    assert find_declaration(dynamic, "orbit-kit", Version("2.0.0")).claims == (), "its tags say its version"
