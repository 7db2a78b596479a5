"""The simple commands of a shell script, told from comments, quoted text and here-documents without running any.

Good enough to see that a step says `git push`; what a script works out while it runs cannot be seen.
"""

from __future__ import annotations

import re

_SEPARATORS = "\n;&|(){}"
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([\w.-]+)\1")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=.*", re.DOTALL)
_PREFIXES = {"if", "then", "else", "elif", "do", "while", "until", "!", "time", "exec", "sudo", "command", "env"}
_MODULES = {"semantic_release": "semantic-release", "gh": "gh"}
_VALUED = ("--with", "--from", "--python", "-p", "--group", "--extra", "--package", "--directory", "--project")
_DEEPEST = 20
"""Scripts inside of scripts; what is deeper counts as text."""


def split_commands(script: str) -> list[tuple[tuple[str, ...], dict[str, str]]]:
    """Each simple command's words, without the words of control and of runners, and the variables that it is given."""
    found = []
    for words in _Scanner(script).commands:
        given = {}
        while words and (words[0] in _PREFIXES or _ASSIGNMENT.fullmatch(words[0])):
            if "=" in words[0]:
                name, _, value = words[0].partition("=")
                given[name] = value
            words = words[1:]
        words = _started(words)
        if words and words[0]:
            found.append((tuple(words), given))
    return found


def _started(words: list[str]) -> list[str]:
    """What the command starts in the end: `uv run --with x git push` → `git push`."""
    for _ in range(3):
        if not words:
            return words
        program = words[0].rpartition("/")[2]
        if re.fullmatch(r"python[\d.]*", program) and "-m" in words[1:3]:
            rest = words[words.index("-m") + 1 :]
            words = [_MODULES.get(name, name) for name in rest[:1]] + rest[1:]
        elif program in ("uv", "poetry", "pdm", "hatch", "rye", "pixi", "pipx") and "run" in words[1:4]:
            words = _past_options(words[words.index("run") + 1 :])
        elif program in ("uvx", "npx") or words[:3] == ["uv", "tool", "run"]:
            words = _past_options(words[1:])
        else:
            return [program, *words[1:]]
    return words


def _past_options(words: list[str]) -> list[str]:
    """From the first word that is no option of a runner, nor the value of one."""
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in _VALUED else words[1:]
    return [words[0].partition("@")[0], *words[1:]] if words else words


class _Scanner:
    """Reads a script once, from left to right; what stands in `$( )` is read as a script of its own."""

    def __init__(self, script: str) -> None:
        self.commands: list[list[str]] = []
        self._text, self._at = script, 0
        self._words: list[str] = []
        self._word: str | None = None
        self._until: list[str] = []
        self._depth = 0
        self._script("")

    def _script(self, closing: str) -> None:
        """Up to the character that closes it; the end of the text closes everything."""
        outer, self._words, outer_word, self._word = self._words, [], self._word, None
        depth = 0
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == closing and not depth:
                break
            depth += (char == "(") - (char == ")")
            self._step(char)
        self._end_command()
        self._words, self._word = outer, outer_word

    def _step(self, char: str) -> None:
        text, at = self._text, self._at
        if text.startswith("${", at):
            closing = "}}" if text.startswith("${{", at) else "}"
            self._take(_behind(text, closing, at))
        elif (text.startswith("$(", at) or char == "`") and self._depth < _DEEPEST:
            self._nested(char)
        elif char == "\\":
            if text[at + 1 : at + 2] != "\n":
                self._add(text[at + 1 : at + 2])
            self._at += 2
        elif char == "'":
            self._at = _behind(text, "'", at + 1)
            self._add(text[at + 1 : self._at].removesuffix("'"))
        elif char == '"':
            self._quoted()
        elif char == "#" and self._word is None:
            self._at = _line_end(text, at)
        elif text.startswith("<<", at) and not text.startswith("<<<", at) and (here := _HEREDOC.match(text, at)):
            self._until.append(here[2])
            self._at = here.end()
        elif char in _SEPARATORS and not (char == "&" and text[at - 1 : at] == ">"):
            self._end_command()
            self._at += 1
            if char == "\n":
                self._skip_heredocs()
        elif char in " \t\r":
            self._end_word()
            self._at += 1
        else:
            self._take(at + 1)

    def _quoted(self) -> None:
        self._add("")
        self._at += 1
        while self._at < len(self._text) and (char := self._text[self._at]) != '"':
            if char == "\\":
                self._add(self._text[self._at + 1 : self._at + 2])
                self._at += 2
            elif self._text.startswith("${{", self._at):
                self._take(_behind(self._text, "}}", self._at))
            elif (self._text.startswith("$(", self._at) or char == "`") and self._depth < _DEEPEST:
                self._nested(char)
            else:
                self._take(self._at + 1)
        self._at += 1

    def _nested(self, char: str) -> None:
        self._add("$()")
        self._at += 1 if char == "`" else 2
        self._depth += 1
        self._script("`" if char == "`" else ")")
        self._depth -= 1
        self._at += 1

    def _take(self, end: int) -> None:
        self._add(self._text[self._at : end])
        self._at = end

    def _add(self, piece: str) -> None:
        self._word = (self._word or "") + piece

    def _end_word(self) -> None:
        if self._word is not None:
            self._words.append(self._word)
        self._word = None

    def _end_command(self) -> None:
        self._end_word()
        if self._words:
            self.commands.append(self._words)
        self._words = []

    def _skip_heredocs(self) -> None:
        while self._until:
            word = self._until.pop(0)
            while self._at < len(self._text):
                end = _line_end(self._text, self._at)
                line, self._at = self._text[self._at : end], end + 1
                if line.strip() == word:
                    break


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _behind(text: str, closing: str, at: int) -> int:
    """Where the text goes on behind the next `closing`; its end where there is none."""
    end = text.find(closing, at)
    return len(text) if end < 0 else end + len(closing)
