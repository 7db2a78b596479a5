"""The simple commands of a shell script, without comments, quoted text and here-documents.

Nothing runs. Good enough to see that a step says `git push`; not what a script computes while it runs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_ANYWHERE = r"(?P<expression>\$\{\{.*?(?:\}\}|\Z))|(?P<nested>\$\(|`)|\\(?P<escaped>.?)"
_QUOTED_TOKEN = re.compile(rf"{_ANYWHERE}|(?P<text>[^\"\\$`]+|.)", re.DOTALL)
_TOKEN = re.compile(
    rf"{_ANYWHERE}|(?P<variable>\$\{{.*?(?:\}}|\Z))|'(?P<literal>[^']*)'?|(?P<quoted>\")|(?P<comment>\#)"
    r"|<<(?!<)-?\s*(?P<quote>['\"]?)(?P<heredoc>[\w.-]+)(?P=quote)"
    r"|(?P<separator>[\n;|(){}]|(?<!>)&)|(?P<space>[ \t\r]+)|(?P<text>[^\s\\$`'\"#<;&|(){}]+|.)",
    re.DOTALL,
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=.*", re.DOTALL)
_PREFIXES = {"if", "then", "else", "elif", "do", "while", "until", "!", "time", "exec", "sudo", "command", "env"}
_MODULES = {"semantic_release": "semantic-release", "gh": "gh"}
_VALUED = ("--with", "--from", "--python", "-p", "--group", "--extra", "--package", "--directory", "--project")
_DEEPEST = 20
"""Levels of nested scripts; a deeper one counts as text."""


def split_commands(script: str) -> list[tuple[tuple[str, ...], dict[str, str]]]:
    """The words and variables of each simple command, without control words and runners such as `uv run`."""
    commands = []
    for words in _Scanner(script).commands:
        variables = {}
        while words and (words[0] in _PREFIXES or _ASSIGNMENT.fullmatch(words[0])):
            name, assigns, value = words[0].partition("=")
            if assigns:
                variables[name] = value
            words = words[1:]
        words = _strip_runners(words)
        if words and words[0]:
            commands.append((tuple(words), variables))
    return commands


def list_spoken(words: Sequence[str]) -> list[str]:
    """The words of a command after its program that are neither options nor the repository that one names."""
    return [
        word
        for before, word in pairwise(words)
        if not word.startswith("-") and (before not in ("-R", "--repo") or words[0] != "gh")
    ]


def _strip_runners(words: list[str]) -> list[str]:
    """The command that runners start in the end: `uv run --with x git push` → `git push`."""
    for _ in range(3):
        if not words:
            return words
        program = words[0].rpartition("/")[2]
        if re.fullmatch(r"python[\d.]*", program) and "-m" in words[1:3]:
            rest = words[words.index("-m") + 1 :]
            words = [_MODULES.get(name, name) for name in rest[:1]] + rest[1:]
        elif program in ("uv", "poetry", "pdm", "hatch", "rye", "pixi", "pipx") and "run" in words[1:4]:
            words = _skip_options(words[words.index("run") + 1 :])
        elif program in ("uvx", "npx") or words[:3] == ["uv", "tool", "run"]:
            words = _skip_options(words[1:])
        else:
            return [program, *words[1:]]
    return words


def _skip_options(words: list[str]) -> list[str]:
    """The words from the first that is neither an option of a runner nor its value."""
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in _VALUED else words[1:]
    return [words[0].partition("@")[0], *words[1:]] if words else words


class _Scanner:
    """Reads a script once, from left to right; reads the contents of `$( )` as a script of their own."""

    def __init__(self, script: str) -> None:
        self.commands: list[list[str]] = []
        self._text, self._at, self._depth = script, 0, 0
        self._heredocs: list[str] = []
        self._read("")

    def _read(self, closing: str) -> None:
        """Read up to the character that closes the script, or to the end of the text."""
        words: list[str] = []
        word: str | None = None
        parentheses = 0
        while (token := _TOKEN.match(self._text, self._at)) and (parentheses or token[0] != closing):
            kind, self._at = token.lastgroup, token.end()
            if kind in ("space", "separator"):
                words += [] if word is None else [word]
                word = None
            if kind == "separator":
                parentheses += (token[0] == "(") - (token[0] == ")")
                self.commands += [words] if words else []
                words = []
                if token[0] == "\n":
                    self._skip_heredocs()
            elif kind == "heredoc":
                self._heredocs.append(token["heredoc"])
            elif kind == "comment" and word is None:
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif kind != "space" and token[0] != "\\\n":
                word = (word or "") + self._expand(token)
        words += [] if word is None else [word]
        self.commands += [words] if words else []

    def _expand(self, token: re.Match[str]) -> str:
        """The text that a token adds to a word."""
        kind = token.lastgroup or ""
        if kind == "quoted":
            return self._read_quoted()
        if kind != "nested":
            return token[kind]
        if self._depth == _DEEPEST:
            self._at = token.start() + 1
            return token[0][0]
        self._depth += 1
        self._read("`" if token[0] == "`" else ")")
        self._depth -= 1
        self._at += 1
        return "$()"

    def _read_quoted(self) -> str:
        text = ""
        while (token := _QUOTED_TOKEN.match(self._text, self._at)) and token[0] != '"':
            self._at = token.end()
            text += self._expand(token)
        self._at += 1
        return text

    def _skip_heredocs(self) -> None:
        for word in self._heredocs:
            end = re.compile(rf"^[^\S\n]*{re.escape(word)}[^\S\n]*$\n?", re.MULTILINE).search(self._text, self._at)
            self._at = end.end() if end else len(self._text)
        self._heredocs.clear()
