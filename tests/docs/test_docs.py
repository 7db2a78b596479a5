"""The documents say what the code does: commands, options, exit codes, checks, links and the recipe."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from release_state.cli import main
from release_state.cli.commands import COMMANDS
from release_state.demo.scenarios import SCENARIOS
from release_state.facts.logs.families import KNOWN_FAILURES
from release_state.model.outcome import Exit, Outcome, Phase, Verdict
from release_state.model.process import PROCESS_WORDS
from release_state.observe.git.reader import find_repository
from release_state.observe.lookups import TABLE
from release_state.run.checks import catalogue
from release_state.settings.channels import TRACES
from release_state.settings.config import Arguments, load
from release_state.settings.options import CHANNEL_SETTINGS, PHASES, PLANS, SETTINGS
from tests.docs.reference import reference, with_settings
from tests.incidents import page
from tests.incidents.__main__ import count
from tests.support.cli import ROOT, suite

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CHECKS = catalogue(ROOT / "checks")
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "reports" / "README.md"], key=lambda path: path.name
)
OF_DEVELOPERS = (
    *("CHANGELOG", "CONTRIBUTING", "SECURITY"),
    *("checks", "incidents", "performance", "processes", "reliability", "states"),
)
FOR_USERS = [path for path in DOCUMENTS if path.stem not in OF_DEVELOPERS]
"""Documents whose options are all ours; the others name those of git, gh and the tests, too."""
SAMPLE = ROOT / "reports" / "sample"
ANEW = "python -m tests.docs.reference --write"


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


README = text_of("README.md")
LONGEST_README = 1200
"""In words, commands and tables included: the rest is in docs/."""
OPTIONS, RESULTS, GATES = (text_of(f"docs/{name}.md") for name in ("options", "results", "gates"))
CONTRIBUTING = text_of("CONTRIBUTING.md")


def section(document: str, heading: str) -> str:
    """The text below a heading, up to the next heading of its level or above."""
    level = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(level)}}} |\Z)", document, re.MULTILINE | re.DOTALL)
    assert found, f"no section {heading}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of the tables, without the header rows."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    heads = {index - 1 for index, line in enumerate(lines) if line.startswith("|---")}
    return [row for index, row in enumerate(cells) if index not in heads and not lines[index].startswith("|---")]


def blocks(document: str, language: str) -> list[str]:
    """The code blocks in a language, without a list's indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", document, re.MULTILINE | re.DOTALL)
    return ["".join(line.removeprefix(indent) for line in text.splitlines(keepends=True)) for indent, text in found]


# --- generated parts


def test_reference_is_up_to_date() -> None:
    assert text_of("docs/checks.md") == reference(CHECKS), f"run: {ANEW}"


def test_page_of_incidents_is_up_to_date_and_quotes_a_log_for_each() -> None:
    assert text_of("docs/incidents.md").splitlines() == list(page.write(count())), (
        "run: python -m tests.incidents --write"
    )
    assert set(page.quote()) == set(KNOWN_FAILURES)


def test_table_of_settings_is_up_to_date() -> None:
    assert with_settings(OPTIONS) == OPTIONS, f"run: {ANEW}"


def test_every_check_is_listed_with_a_link_that_resolves() -> None:
    lines = text_of("docs/checks.md").splitlines()
    headings = {line.removeprefix("### ") for line in lines if line.startswith("### ")}
    assert headings == {check.id for check in CHECKS}
    for check in CHECKS:
        assert any(line.startswith(f"| [{check.id}](#{check.id.lower()}) |") for line in lines)


# --- README


def test_readme_is_short() -> None:
    assert len(README.split()) <= LONGEST_README


def test_every_page_is_linked_from_the_readme() -> None:
    linked = set(re.findall(r"\]\((docs/[a-z-]+\.md)[)#]", README))
    assert linked == {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}


def test_what_the_readme_shows_of_a_page_is_as_on_that_page() -> None:
    codes = {row[0]: row[1] for row in rows(section(RESULTS, "## Verdicts and exit codes"))}
    assert {row[0]: row[1] for row in rows(section(README, "## Read the result"))} == codes
    shown = [row[0] for row in rows(section(README, "## Ten options"))]
    assert len(shown) == 10
    for option in shown:
        assert re.search(rf"^\| `{option.strip('`').partition(' ')[0]}[` ]", OPTIONS, re.MULTILINE), option


# --- documents against the code


@cache
def help_text() -> str:
    run = suite("--help")
    assert run.returncode == 0
    return run.stdout.partition("release state:")[2].partition("\n\n")[0]


def test_every_command_is_listed() -> None:
    listed = [row[0].split()[1].strip("`") for row in rows(section(OPTIONS, "## Commands"))]
    assert listed == list(COMMANDS)
    text = "".join(path.read_text(encoding="utf-8") for path in FOR_USERS)
    assert set(re.findall(r"(?:^|`|bin/)release-state ([a-z]+)\b", text, re.MULTILINE)) == set(COMMANDS)


def test_every_option_is_listed() -> None:
    options = set(re.findall(r"(?:^ +|, )(--[a-z-]+)", help_text(), re.MULTILINE))
    assert {setting.option for setting in SETTINGS} < options
    own = {re.findall(r"--[a-z-]+", row[0])[0] for row in rows(section(OPTIONS, "## Options"))}
    assert own == options - {setting.option for setting in SETTINGS}
    for word in (*PHASES, *PLANS):
        assert f"`{word}`" in section(OPTIONS, "## Options")


@pytest.mark.parametrize("path", FOR_USERS, ids=lambda path: path.stem)
def test_every_option_that_is_named_exists(path: Path) -> None:
    pytests = {"--deselect", "--junitxml", "--junit-xml", "--help", "--help-all", "--collect-only"}
    others = {"--list-checks", "--write", "--from"} | pytests
    prose = re.sub(r"```yaml.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", prose))
    assert named - others <= set(re.findall(r"--[a-z-]+", help_text()))


def test_exit_codes_are_those_of_the_code() -> None:
    table = rows(section(RESULTS, "## Verdicts and exit codes"))
    assert [int(row[0]) for row in table] == [int(code) for code in Exit]
    listed = {word.strip() for row in table for word in row[1].split(",")} - {""}
    assert listed == {verdict.value for verdict in Verdict} - {Verdict.PARTIAL.value}
    order = re.search(r"first\s+code\s+of\s+([\d,\s]+?)\s+that\s+occurs", RESULTS)
    assert order
    codes = [Exit(int(code)) for code in order[1].split(",")]
    assert sorted(codes) == sorted(Exit)
    for number, code in enumerate(codes):
        assert Exit.worst(codes[number:][::-1]) is code


def test_outcomes_phases_and_verdicts_are_those_of_the_code() -> None:
    assert [row[0] for row in rows(section(RESULTS, "## Outcomes"))] == [outcome.words for outcome in Outcome]
    table = rows(section(RESULTS, "## Phases"))
    assert [row[0].strip("`") for row in table] == [phase.value for phase in Phase]
    assert [row[2] for row in table] == [
        *(Verdict.READY.value, Verdict.READY_TO_PUBLISH.value, Verdict.VERIFIED.value, Verdict.ROLLED_BACK.value)
    ]


def test_scenarios_are_those_of_the_demo() -> None:
    listed = {row[0].strip("`"): row[1:] for row in rows(text_of("docs/demo.md"))}
    expected = {name: [f"{each.description}.", str(each.exit_code)] for name, each in SCENARIOS.items()}
    assert listed == expected


def test_example_configuration_holds_every_key_and_is_accepted(tmp_path: Path) -> None:
    [example] = blocks(section(OPTIONS, "### Configuration file"), "toml")
    table = tomllib.loads(example)["tool"]["release-state"]
    assert set(table) == {setting.key for setting in SETTINGS} | {"channels"}
    [channel] = table["channels"].values()
    keys = [setting.key for setting in CHANNEL_SETTINGS]
    assert set(channel) == set(keys)
    listed = [row[0].strip("`") for row in rows(section(OPTIONS, "### Configuration file"))]
    assert listed == keys
    for trace in TRACES:
        assert f"`{trace}`" in section(OPTIONS, "### Configuration file")
    (tmp_path / "pyproject.toml").write_text(example, encoding="utf-8")
    config = load(Arguments(versions=("0.2.0",), channels=("internal",)), {}, tmp_path, find_repository)
    target = config.targets[0]
    assert (target.package, target.channel.name, target.channel.leaves) == ("your-package", "internal", ("tag",))


def test_words_for_the_process_are_those_of_the_table() -> None:
    listed = rows(section(OPTIONS, "### The process in one word"))
    assert [row[0].strip("`") for row in listed] == list(PROCESS_WORDS)
    spelled = {"GitHub Release": "release", "pull request": "pull-request"}
    for row, word in zip(listed, PROCESS_WORDS.values(), strict=True):
        assert tuple(spelled.get(trace, trace) for trace in row[2].split(", ") if trace) == word.leaves
        assert (row[1] == "found out") is not bool(word.started_by)


def test_variables_are_read_by_the_code() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "release_state").rglob("*.py"))
    of_channels = {setting.variable("<channel>").removesuffix("<CHANNEL>") for setting in CHANNEL_SETTINGS}
    named = set()
    for row in rows(section(OPTIONS, "### Environment"))[1:-1]:
        named |= set(re.findall(r"`([A-Z_]+)(?:<CHANNEL>)?`", row[0]))
    assert of_channels <= named
    assert not [name for name in named - of_channels if name not in code]


def test_pytest_is_pinned_as_the_readme_says() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert any(re.match(r"pytest>=[\d.]+,<9$", need) for need in project["dependencies"])
    assert project["requires-python"] == ">=3.10" and "Python (3.10 or newer)" in README


def test_gate_gives_the_phase_and_the_outputs_of_the_action() -> None:
    outputs = text_of("action.yml").partition("\noutputs:")[2].partition("\nruns:")[0]
    declared = re.findall(r"^  ([a-z-]+):$", outputs, re.MULTILINE)
    assert declared and all(f"`{name}`" in GATES for name in declared)
    assert "phase: pre-release" in GATES and "--phase pre-release" in GATES
    text = "".join(text_of(f"docs/{name}.md") for name in ("action", "recipes"))
    needed = " ".join(row.right for row in TABLE)
    rights = {right for right in re.findall(r"[a-z-]+: (?:read|write)", text) if right in needed}
    assert len(rights) >= 5 and all(right.endswith(": read") for right in rights)


# --- commands


def test_first_screen_names_the_commands() -> None:
    commands = "".join(blocks(README, "sh"))
    dev = text_of("dev.py")
    for command in re.findall(r"python3 dev\.py (\w+)", README + CONTRIBUTING):
        assert f'"{command}"' in dev
    assert "python3 dev.py demo\npython3 dev.py test\n" in commands
    assert "pytest checks/ --version 0.2.0 --channel pypi\n" in commands


def test_demo_command_works(tmp_path: Path) -> None:
    assert '"checks/", "--demo", *(arguments or ["partial"])' in text_of("dev.py")
    run = suite("--demo", "partial", "--no-install", reports_dir=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "ACTION NEEDED: orbit-demo 0.2.0 on pypi" in run.stdout
    assert (tmp_path / "latest.html").is_file()


def test_refused_spelling_is_refused() -> None:
    assert suite("--version=0.2.0").returncode == Exit.USAGE
    assert suite("--version=0.2.0", "--show-config").returncode == Exit.USAGE


@pytest.mark.parametrize(
    "arguments",
    [("--version", "0.2.0", "--channel", "pypi"), ("--release-version=0.2.0",), ("--version", "0.2.0", "-n", "2")],
)
def test_literal_spellings_are_accepted(arguments: tuple[str, ...]) -> None:
    run = suite(*arguments, "--show-config")
    assert run.returncode == 0, run.stderr
    assert "version = '0.2.0'" in run.stdout and "channel = 'pypi'" in run.stdout


def test_checks_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-checks"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(CHECKS)


# --- CONTRIBUTING


def test_map_names_the_rooms_and_all_of_them() -> None:
    [drawn] = blocks(section(CONTRIBUTING, "## The map"), "text")
    package = ROOT / "release_state"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert set(re.findall(r"(?<=\s)([a-z]+)(?=/)", drawn)) - {"fixtures", "release_state"} == rooms
    for row in rows(section(CONTRIBUTING, "## The map")):
        for name in re.findall(r"`([^`]+)`", row[0]):
            assert (ROOT / name).exists(), name


def test_fixtures_that_are_named_exist() -> None:
    room = next(row for row in rows(section(CONTRIBUTING, "## The map")) if row[0] == "`fixtures/`")
    code = text_of("fixtures/target.py")
    assert set(re.findall(r"`(\w+)`", row_text(room))) == set(re.findall(r"^def (\w+)", code, re.MULTILINE))


def row_text(row: list[str]) -> str:
    return " ".join(row[1:])


def test_recipe_of_a_check_works(tmp_path: Path) -> None:
    recipe = section(CONTRIBUTING, "## Add a check in ten minutes")
    name = re.search(r"`(checks/test_\w+\.py)`:", recipe)
    [code] = [block for block in blocks(recipe, "python") if "@check(" in block]
    assert name
    suite_folder = tmp_path / "suite"
    for part in ("checks", "fixtures"):
        shutil.copytree(ROOT / part, suite_folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("conftest.py", "pytest.ini"):
        shutil.copy(ROOT / part, suite_folder / part)
    assert not (suite_folder / name[1]).exists(), "the recipe's file is taken"
    (suite_folder / name[1]).write_text(code, encoding="utf-8")
    [added] = set(catalogue(suite_folder / "checks")) - set(catalogue(ROOT / "checks"))
    run = suite("--demo", "clean", cwd=suite_folder, reports_dir=tmp_path / "reports")
    assert run.returncode == 0, run.stdout + run.stderr
    [target] = json.loads((tmp_path / "reports" / "latest.json").read_text(encoding="utf-8"))["targets"]
    outcomes = {check["id"]: check["outcome"] for check in target["checks"]}
    assert outcomes[added.id] == "holds"
    assert len(outcomes) == sum(Phase.PRE_RELEASE in check.phases for check in CHECKS) + 1
    assert f"### {added.id}" in reference([added], suite_folder / "checks")


def test_example_of_a_fact_is_in_the_code() -> None:
    steps = re.split(r"^\d\. ", section(CONTRIBUTING, "## Add a fact"), flags=re.MULTILINE)[1:]
    assert len(steps) == 4
    for step in steps:
        path, code = re.search(r"`([\w/]+\.py)`", step), blocks(step, "python")
        assert path and code, step
        missing = [line for line in code[0].splitlines() if line.strip() not in text_of(path[1])]
        assert not missing, path[1]


def test_files_modules_and_functions_that_are_named_exist() -> None:
    spans = set(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", CONTRIBUTING, flags=re.DOTALL)))
    words = {word for span in spans for word in span.split()}
    made = {"checks/test_repository.py", ".tools/axe/axe.min.js", "build/docs/site", "3/40"}
    paths = {word for word in words if re.fullmatch(r"[\w./]+/[\w./]*|[\w./]+\.(?:py|md|ini|yml)", word)} - made
    assert len(paths) > 30
    missing = [path for path in paths if not (ROOT / path).exists() and not any(ROOT.glob(f"release_state/**/{path}"))]
    assert [path for path in missing if not path.startswith(".venv/")] == []
    modules = re.findall(r"-m ([a-z_.]+)", " ".join(spans))
    assert modules and all(importlib.util.find_spec(module) for module in modules)
    for module, name in re.findall(r"`(text)\.(\w+)`", CONTRIBUTING):
        assert hasattr(importlib.import_module(f"release_state.common.{module}"), name)


def test_example_of_the_demo_world_works() -> None:
    [code] = blocks(section(CONTRIBUTING, "## The demo world"), "python")
    seen: list[str] = []
    exec(compile(code, "CONTRIBUTING.md", "exec"), {"print": lambda *words: seen.extend(words)})
    assert len(seen) == 3 and seen[0].startswith("file://") and "pypi" in seen[1]


# --- every document


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_to_files_resolve(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r'(?:src|srcset|href)="([^"]+)"', prose)
    for link in links:
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https"
            continue
        target = path.parent / unquote(parts.path) if parts.path else path
        assert target.exists(), link
        if parts.fragment and target.suffix == ".md":
            assert parts.fragment in anchors(target), link


def anchors(path: Path) -> set[str]:
    """The anchors of the headings, as on GitHub."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


HOST = urlsplit(PYPI_SIMPLE_ENDPOINT).hostname or ""
FORBIDDEN = {
    "a registry's host": re.compile(rf"{re.escape(HOST)}|{re.escape(HOST.replace('.', '.python.', 1))}"),
    "a path of one machine": re.compile(r"(?<![\w.~-])/(?:home|root|tmp|usr/local|var|work|Users)/"),
    "an address of one run": re.compile(r"127\.0\.0\.1|localhost"),
    "an issue's number": re.compile(r"(?<![\w&/])#\d{2,}\b"),
    "marketing": re.compile(r"\b(?:blazing|seamless|powerful|effortless|cutting-edge|robust)", re.IGNORECASE),
}


@pytest.mark.parametrize("path", [*DOCUMENTS, *sorted(SAMPLE.glob("*.[hj]*"))], ids=lambda path: path.name)
def test_nothing_is_named_that_does_not_belong_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for what, pattern in FORBIDDEN.items():
        if what == "an issue's number" and path.parent == SAMPLE:
            continue  # colours
        assert not pattern.search(text), what


def test_changelog_has_this_version() -> None:
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    headings = re.findall(r"^## \[(.+?)\]", text_of("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased" and version in headings


@pytest.mark.parametrize("name", ["partial", "released", "branch-exists"])
def test_sample_is_what_its_scenario_says(name: str) -> None:
    document: dict[str, Any] = json.loads((SAMPLE / f"{name}.json").read_text(encoding="utf-8"))
    scenario = SCENARIOS[name]
    assert (document["verdict"], document["exit_code"]) == (scenario.verdict, scenario.exit_code)
    checks = {check["id"] for check in document["targets"][0]["checks"]}
    hint = "the checks have changed: python3 dev.py sample"
    assert checks == {check.id for check in CHECKS if Phase(scenario.phase) in check.phases}, hint
    page = (SAMPLE / f"{name}.html").read_text(encoding="utf-8")
    assert f'<h1 id="title">{scenario.verdict}: ' in page
    assert (SAMPLE / f"{name}-1280-light.png").read_bytes().startswith(b"\x89PNG")


def test_no_file_names_a_registry() -> None:
    """Its address comes from pypi-simple's constant: who serves an index under another name changes one place."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    files = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    assert len(files) > 500
    host = FORBIDDEN["a registry's host"]
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in files if path.is_file()}
    assert [path for path, text in texts.items() if host.search(text)] == []
