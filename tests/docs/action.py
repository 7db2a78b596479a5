"""The inputs of the action and of the reusable workflow, from the options of the suite.

`python -m tests.docs.action --write` brings `action.yml`, the workflow and the table of the page up to date.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from release_state.run.options import Option, list_options

ROOT = Path(__file__).resolve().parent.parent.parent
ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / ".github" / "workflows" / "release-state.yml"
PAGE = ROOT / "docs" / "action.md"

NO_INPUT = {
    "reports-dir": "the action makes a new folder, so that no older report passes for this run's",
    "github-api-url": "the runner names it: GITHUB_API_URL",
    "github-server-url": "the runner names it: GITHUB_SERVER_URL",
    "project-list": "a gate is of one project",
    "demo": "no gate",
    "snapshot": "no gate",
    "save-snapshot": "no gate",
    "script": "no gate",
    "show-config": "prints, and checks nothing",
}
"""Options that are no inputs, and why."""
NAMES = {"built": "dist"}
"""Inputs that are not called as their option: `--dist` is one of pytest-xdist."""
NOT_OF_THE_WORKFLOW = {"repo"}
"""It checks the repository out itself, in a job of its own."""
ARTIFACT = "name of an artifact with the built files, which a job of the same run uploaded before the call"
"""What `dist` is in the workflow, whose job sees no folder of the calling workflow."""
HANDED_ON = {"dist": "${{ inputs.dist && format('{0}/release-state-dist', runner.temp) || '' }}"}
"""What the workflow hands on, if it is not the input itself: the folder that it downloads to."""
DEFAULTS = {"channel": "pypi", "phase": "auto", "wait": "0"}
"""What an input is if it is not given; a switch is false."""
OF_THE_ACTION = {
    "packages": "packages of your own checks, and what else they need: requirements with hashes, one a line",
    "cache": "whether downloads are cached between runs; each is verified by its hash (only the action)",
    "token": "GitHub token, used only for reading; the workflow takes it as a secret (default: the run's own)",
}
"""Inputs that are no options."""
OF_THE_WORKFLOW = {
    "runs-on": "label of the runner (default: ubuntu-latest)",
    "timeout-minutes": "time limit of the job (default: 30)",
}
PREFIX = "RELEASE_STATE_ACTION"


def list_inputs() -> list[Option]:
    """The options that are inputs, in their order."""
    return [option for option in list_options() if name_input(option) not in NO_INPUT]


def name_input(option: Option) -> str:
    """The input of an option."""
    return NAMES.get(option.names[0][2:], option.names[0][2:])


def describe(option: Option) -> str:
    """What an input is, in one line."""
    if name_input(option) == "version":
        return "the version to check, PEP 440 (0.2.0, not v0.2.0); all for an audit"
    return f"{option.help.replace(' (repeatable)', '')}; one a line" if takes_lines(option) else option.help


def takes_lines(option: Option) -> bool:
    """Whether an input holds several values, one a line."""
    return option.is_repeatable and name_input(option) not in ("version", "channel")


def variable(option: Option) -> str:
    """The variable that hands an input to the script; its first word says how it is read."""
    name = option.names[0][2:]
    kind = "LINES" if takes_lines(option) else "VALUE" if option.metavar else "SWITCH"
    return f"{PREFIX}_{kind}_{name.upper().replace('-', '_')}"


def _inputs(*, typed: bool) -> Iterator[str]:
    """The lines of the inputs; `typed` for a workflow."""
    for option in list_inputs():
        name = name_input(option)
        kind = "string" if option.metavar else "boolean"
        default = "false" if kind == "boolean" else json.dumps(DEFAULTS.get(name, ""))
        if name in NOT_OF_THE_WORKFLOW and typed:
            continue
        description = ARTIFACT if typed and name == "dist" else describe(option)
        yield from (f"{name}:", f"  description: {json.dumps(description)}")
        yield from ["  required: true"] if name == "version" else []
        yield from [f"  type: {kind}"] if typed else []
        if name != "version":
            yield f"  default: {default if typed or kind == 'string' else json.dumps(default)}"


def _variables() -> Iterator[str]:
    return (f"{variable(option)}: ${{{{ inputs.{name_input(option)} }}}}" for option in list_inputs())


def _handed_on() -> Iterator[str]:
    names = [name_input(option) for option in list_inputs()]
    values = {name: HANDED_ON.get(name, f"${{{{ inputs.{name} }}}}") for name in names}
    return (f"{name}: {value}" for name, value in values.items() if name not in NOT_OF_THE_WORKFLOW)


def _table() -> Iterator[str]:
    yield from ("| input | default | meaning |", "|---|---|---|")
    for option in list_inputs():
        name = name_input(option)
        default = DEFAULTS.get(name, "" if option.metavar else "false")
        cell = re.sub(r"(\[\w+\])", r"`\1`", describe(option)).replace("|", "\\|")
        whose = " (only the action)" if name in NOT_OF_THE_WORKFLOW else ""
        cell += f". In the workflow the {ARTIFACT}" * (name == "dist")
        yield f"| `{name}` | {f'`{default}`' if default else ''} | {cell}{whose} |"
    for name, text in {**OF_THE_ACTION, **OF_THE_WORKFLOW}.items():
        whose = " (only the workflow)" if name in OF_THE_WORKFLOW else ""
        yield f"| `{name}` | | {text}{whose} |"


def _between(text: str, name: str, lines: Iterator[str]) -> str:
    """A text with these lines between two comments, indented as the first one is."""
    pattern = re.compile(rf"^( *)(# |<!-- )({name}: begin.*\n)(?:.*\n)*?( *(?:# |<!-- ){name}: end)", re.MULTILINE)
    found = pattern.search(text)
    if found is None:
        raise ValueError(f"no place for {name}")
    inner = "".join(f"{found[1]}{line}\n" for line in lines)
    return f"{text[: found.start()]}{found[1]}{found[2]}{found[3]}{inner}{found[4]}{text[found.end() :]}"


def with_inputs() -> dict[Path, str]:
    """The files that list the inputs, as they should be."""
    action = ACTION.read_text(encoding="utf-8")
    action = _between(_between(action, "inputs", _inputs(typed=False)), "variables", _variables())
    workflow = WORKFLOW.read_text(encoding="utf-8")
    workflow = _between(_between(workflow, "inputs", _inputs(typed=True)), "with", _handed_on())
    return {ACTION: action, WORKFLOW: workflow, PAGE: _between(PAGE.read_text(encoding="utf-8"), "inputs", _table())}


def main() -> None:
    """Write the files."""
    for path, text in with_inputs().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    main()
