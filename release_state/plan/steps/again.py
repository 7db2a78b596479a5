"""The command that runs the suite again: with every setting of the run that prints it (pure)."""

from __future__ import annotations

from release_state.common.addresses import derive_web_address
from release_state.model.target import Target
from release_state.settings.channels import GITHUB_API
from release_state.settings.options import RUN_OPTIONS, SETTINGS, Setting

_AS_GIVEN = frozenset({"github-status-url", "index-status-url", "reports-dir"})
"""Of these a target holds what follows for it, not what was said."""
_ALWAYS = frozenset({"package", "repository"})
"""What a run in another folder would not know."""


def suite_command(target: Target, version: str | None = None, channel: str | None = None, **changed: str) -> list[str]:
    """The command that runs the suite on a version of the same project, in whatever folder it is typed.

    It has every setting that is not the default one, and every one that was said on the command line or in the
    environment. Of another version or channel, what was asked of this one alone (its phase, its plan) is left out.
    `changed` gives options of a run another value. Addresses are without credentials, as everywhere in a target.
    """
    command = ["release-state", "--version", version or target.version, "--channel", channel or target.channel.name]
    given = dict(target.settings)
    if target.clone is not None:
        command += ["--repo", target.clone]
    if target.github_api != GITHUB_API:
        command += ["--github-api-url", target.github_api]
    if target.github_web != derive_web_address(target.github_api):
        command += ["--github-server-url", target.github_web]
    for setting in SETTINGS:
        text = _text(target, setting, given)
        if text is not None:
            command += [setting.option, text]
    named = [name for key, name in target.settings if key == "index-url"]
    for one in target.channels:
        # Asked elsewhere, the version of a project of the same name would be judged.
        if not one.is_public_index or one.name in named:
            command += ["--index-url", f"{one.name}={one.index_url}"]
    is_same = version in (None, target.version) and channel in (None, target.channel.name)
    for option in RUN_OPTIONS:
        value = given.get(option.key) if is_same or not option.of_version else None
        value = changed.get(option.key, value)
        if value is not None:
            command += [f"--{option.key}", *([] if option.is_switch else [value])]
    return command


def _text(target: Target, setting: Setting, given: dict[str, str]) -> str | None:
    """A setting as it is typed; None where the command does not need it."""
    field = setting.key.replace("-", "_")
    if setting.key in _AS_GIVEN or field not in Target.model_fields:
        return given.get(setting.key)
    text = _typed(getattr(target, field))
    default = setting.default
    if setting.key == "remote-url":
        default = f"{target.github_web}/{target.repository}.git"
    return text if setting.key in _ALWAYS or setting.key in given or text != default else None


def _typed(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else None if value is None else str(value)
