"""The reference of the checks and of the settings in Markdown, from what the code itself says.

`python -m tests.docs.reference` prints `docs/checks.md`; with `--write` it brings that file, the tables of
other documents and the JSON Schemas up to date.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.json import schema_components

from release_state.audit.kinds import KINDS
from release_state.model.outcome import Phase, name_phase
from release_state.model.snapshot import FORMAT, Snapshot
from release_state.observe.lookups import TABLE
from release_state.run.checks import catalogue
from release_state.settings.options import SETTINGS
from release_state.verdict.check import CheckInfo
from tests.support.schemas import audit_schema, fleet_schema, run_schema

ROOT = Path(__file__).resolve().parent.parent.parent
CHECKS = ROOT / "checks"

_HEAD = """<!-- Made from the docstrings and messages of the checks by: python -m tests.docs.reference --write -->

# Reference of the checks

Each check states a **fact** that should be true. If it is not, the report says what was found, why it matters, and the
exact commands that fix it. If the fact could not be observed, the outcome is *unknown*, never green. *Blocking* checks
decide the verdict and the exit code. *Advice* is shown and decides nothing, unless you use `--block-on-advice`. It also
blocks if its finding makes the release certain to fail: its entry says so. *Reads* names the look-ups that a check
needs: see [what each look-up asks for](#look-ups).
"""

_PHASES = {
    Phase.PRE_RELEASE: "Before a release: nothing of the version exists yet, and nothing blocks its release.",
    Phase.PRE_PUBLISH: "Inside a run that a tag or a GitHub Release started, before it uploads: the tag is right, and "
    "nothing is uploaded yet.",
    Phase.POST_RECOVERY: "After a release or a recovery (`--phase post-release`): every trace is what a finished "
    "release leaves.",
    Phase.ROLLBACK: "After a release was withdrawn: everything that can be withdrawn is withdrawn.",
}

_OF_MANY = {
    "audit": "Over a whole history, with `--version all` or a specifier: every version agrees with itself. See "
    "[the audit](audit.md).",
    "fleet": "Over many projects, with `--project-list`: the audit or a gate of each. See [the fleet](fleet.md).",
}


def reference(checks: Sequence[CheckInfo], folder: Path = CHECKS) -> str:
    """The whole reference; `folder` holds the files of the checks, for the messages that they end with."""
    parts = [_HEAD]
    for phase in Phase:
        members = [check for check in checks if phase in check.phases]
        parts.append(f"## Phase {name_phase(phase)}\n\n{_PHASES[phase]}\n\n{_short(members)}")
    for name, about in _OF_MANY.items():
        members = [check for check in checks if not check.phases and check.places == name]
        parts.append(f"## {name.capitalize()}\n\n{about}\n\n{_short(members)}")
    parts.append("## Every check\n")
    parts += [_entry(check, folder) for check in _by_phase(checks)]
    rows = "\n".join(f"| `{row.name}` | {row.what} | {row.right} |" for row in TABLE if not row.part_of)
    parts.append(
        "## Look-ups\n\nA public repository can be read without a token, within GitHub's small limit for "
        "anonymous requests.\n\n| look-up | what it asks for | right that it needs |\n|---|---|---|\n" + rows + "\n"
    )
    return "\n".join(parts)


def _by_phase(checks: Sequence[CheckInfo]) -> list[CheckInfo]:
    """In the order in which the phases are gone through."""
    phases = list(Phase)
    return sorted(checks, key=lambda check: phases.index(check.phases[0]) if check.phases else len(phases))


def _short(checks: Sequence[CheckInfo]) -> str:
    lines = ["| check | level | fact |", "|---|---|---|"]
    for check in checks:
        level = "blocking" if check.blocking else "advice"
        lines.append(f"| [{check.id}](#{check.id.lower()}) | {level} | {_cell(check.title)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"(\[[a-z]+\])", r"`\1`", text.replace("|", "\\|"))


def _phases(check: CheckInfo) -> str:
    return check.places


def _entry(check: CheckInfo, folder: Path) -> str:
    function = _function(folder / check.file, check.function)
    level = "blocking" if check.blocking else "advice"
    said = {keyword.arg for call in _calls(function) for keyword in call.keywords}
    if check.blocking and "advice" in said:
        level += "; some findings are advice only"
    if check.may_block:
        level += "; what makes the release fail for certain blocks"
    facts = [f"*{_phases(check)}*, {level}"]
    if check.scenario:
        facts.append(f"failure scenario {check.scenario}")
    facts.append("reads " + ", ".join(f"`{name}`" for name in check.reads))
    lines = [f"### {check.id}", "", f"**{check.title}**", "", "; ".join(facts) + "."]
    if check.remedy:
        lines += ["", check.remedy]
    whys = _messages(function, "why")
    if whys:
        lines += ["", f"Why it matters: {'; or '.join(whys)}."]
    reasons = _messages(function, "NotApplicable")
    if reasons:
        lines += ["", f"Skipped: {'; or '.join(reasons)}."]
    return "\n".join(lines) + "\n"


def _function(path: Path, name: str) -> ast.FunctionDef:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)


def _calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """The calls that make a statement, in the order of the lines."""
    found = [node for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    names = ("ActionNeeded", "InProgress", "NotApplicable")
    statements = [call for call in found if isinstance(call.func, ast.Name) and call.func.id in names]
    return iter(sorted(statements, key=lambda call: call.lineno))


def _messages(function: ast.FunctionDef, kind: str) -> list[str]:
    """The reasons (`why=` of findings, or those of NotApplicable) that are written out in the check."""
    found: list[str | None] = []
    for call in _calls(function):
        is_reason = isinstance(call.func, ast.Name) and call.func.id == "NotApplicable"
        if kind == "NotApplicable" and is_reason and call.args:
            found.append(_text(call.args[0]))
        elif kind == "why":
            found += [_text(keyword.value) for keyword in call.keywords if keyword.arg == "why"]
    return list(dict.fromkeys(text.rstrip(".") for text in found if text))


def _text(node: ast.expr) -> str | None:
    """The text of a literal, with `…` for what is only known in a run; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return None


def settings() -> str:
    """The table of what can be set on the command line, in the configuration and in the environment."""
    lines = ["| option, key | variable | default | meaning |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default and not setting.is_found else ""
        meaning = setting.help.partition(" (default:")[0]
        inferred = setting.help.partition(" (default: ")[2].rstrip(")")
        lines.append(
            f"| `{setting.option}` {setting.metavar or ''} | `{setting.variable}` | {default or _cell(inferred)} | "
            f"{_cell(meaning)} |"
        )
    return "\n".join(lines) + "\n"


def with_settings(document: str) -> str:
    """The document of the options with its table of settings as it is now."""
    return _between(document, "settings", settings())


def kinds() -> str:
    """The table of an audit's kinds of disagreement."""
    lines = ["| kind | level | what it is | why it matters | check of one version |", "|---|---|---|---|---|"]
    for kind in KINDS:
        level = "blocking" if kind.blocking else "advice"
        link = f"[{kind.check}](checks.md#{kind.check.lower()})"
        lines.append(f"| `{kind.id}` | {level} | {_cell(kind.title)} | {_cell(kind.why)} | {link} |")
    return "\n".join(lines) + "\n"


def with_kinds(document: str) -> str:
    """The document of the audit with its table as it is now."""
    return _between(document, "kinds", kinds())


def _between(document: str, name: str, text: str) -> str:
    before, _, rest = document.partition(f"<!-- {name}: begin -->\n")
    _, end, after = rest.partition(f"<!-- {name}: end -->")
    return f"{before}<!-- {name}: begin -->\n{text}{end}{after}"


def snapshot_schema() -> dict[str, Any]:
    """The JSON Schema of a snapshot file (draft 2020-12)."""
    _, found = schema_components([Snapshot], ref_template="#/$defs/{name}")
    definitions = msgspec.json.decode(msgspec.json.encode(found))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "release-state snapshot file",
        "type": "object",
        "required": ["release_state_snapshot", "sha256", "snapshots"],
        "additionalProperties": False,
        "properties": {
            "release_state_snapshot": {"const": FORMAT},
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "snapshots": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Snapshot"}},
        },
        "$defs": definitions,
    }


def _schemas() -> dict[str, dict[str, Any]]:
    """Every JSON Schema, by the name of its file."""
    return {
        "snapshot": snapshot_schema(),
        "report": run_schema(),
        "audit": audit_schema(),
        "fleet": fleet_schema(),
    }


def main() -> None:
    """Print the reference; with `--write`, put it and the tables into the documents."""
    checks = catalogue(CHECKS)
    if sys.argv[1:] != ["--write"]:
        sys.stdout.write(reference(checks))
        return
    (ROOT / "docs" / "checks.md").write_text(reference(checks), encoding="utf-8")
    for name, schema in _schemas().items():
        text = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        (ROOT / "release_state" / "report" / "schemas" / f"{name}.schema.json").write_text(text, encoding="utf-8")
    audit = ROOT / "docs" / "audit.md"
    audit.write_text(with_kinds(audit.read_text(encoding="utf-8")), encoding="utf-8")
    options = ROOT / "docs" / "options.md"
    options.write_text(with_settings(options.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
