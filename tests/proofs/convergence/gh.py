"""A stand-in for the GitHub CLI: the commands that plans print, with their effects, over GitHub's REST API.

What stands on PATH as `gh` hands its command line over to `run`. A command or an argument that it does not know ends
with exit code 2, so that nothing passes that was not thought of; GitHub's refusals end with exit code 1, as gh's own.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlencode, urlsplit

FLAGS = {
    "api": {"--method": True, "--hostname": True, "--raw-field": True, "--jq": True},
    "pr create": {"--base": True, "--head": True, "--title": True, "--body": True},
    "pr close": {},
    "pr view": {"--json": True},
    "pr list": {"--state": True, "--head": True, "--base": True, "--json": True, "--jq": True},
    "release create": {
        "--verify-tag": False,
        "--title": True,
        "--generate-notes": False,
        "--latest": False,
        "--prerelease": False,
        "--target": True,
    },
    "release edit": {
        "--draft": False,
        "--latest": False,
        "--notes": True,
        "--prerelease": False,
        "--tag": True,
        "--target": True,
        "--title": True,
    },
    "release view": {},
    "release download": {"--dir": True},
    "workflow run": {"--field": True, "--ref": True},
    "run list": {"--branch": True, "--workflow": True},
    "run watch": {},
    "run view": {},
    "run cancel": {},
    "run rerun": {"--failed": False},
}
"""The known flags of each command; whether a flag takes a word. A flag without one may be given as `--flag=false`."""


class Failed(Exception):  # noqa: N818 - reads as what happened
    """The command ends with a message and an exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def fail(text: str, code: int = 1) -> NoReturn:
    """End with a message."""
    raise Failed(text, code)


class Given:
    """A command line, taken apart: the command, its words and its flags."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.command = argv[0] if argv[:1] == ["api"] else " ".join(argv[:2])
        if self.command not in FLAGS:
            fail(f"unknown command {self.command!r}", 2)
        known = FLAGS[self.command] | ({"--repo": True} if self.command != "api" else {})
        self.words: list[str] = []
        self.flags: dict[str, str] = {}
        rest = list(argv[len(self.command.split()) :])
        while rest:
            word = rest.pop(0)
            if not word.startswith("-"):
                self.words.append(word)
                continue
            name, equals, value = word.partition("=")
            if name not in known:
                fail(f"unknown flag: {name} of gh {self.command}", 2)
            if known[name] and not equals:
                if not rest:
                    fail(f"flag needs an argument: {name}", 2)
                value = rest.pop(0)
            self.flags[name] = value if known[name] or equals else "true"
            if not known[name] and self.flags[name] not in ("true", "false"):
                fail(f"invalid argument {value!r} for {name}", 2)

    def flag(self, name: str) -> bool | None:
        """A yes-or-no flag; None where it was not given."""
        return self.flags[name] == "true" if name in self.flags else None

    def word(self) -> str:
        """The only word."""
        if len(self.words) != 1:
            fail(f"gh {self.command} takes one argument, given: {self.words}", 2)
        return self.words[0]

    def nothing_else(self) -> None:
        """Refuse words where none belongs."""
        if self.words:
            fail(f"gh {self.command} takes no argument, given: {self.words}", 2)


class GitHub:
    """The API of one repository."""

    def __init__(self, root: str, token: str) -> None:
        self.host, self.headers = urlsplit(root).netloc, {"Authorization": f"Bearer {token}", "User-Agent": "gh"}

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One request: the status and the JSON of the answer."""
        connection = http.client.HTTPConnection(self.host, timeout=20)
        data = None if body is None else json.dumps(body)
        connection.request(method, f"/{path}", data, self.headers)
        with connection.getresponse() as answer:
            text = answer.read()
            connection.close()
            return answer.status, json.loads(text) if text else None

    def download(self, url: str, path: Path) -> None:
        """What is at an address of the API, where it leads to, in a file."""
        asked = urllib.request.Request(url, headers={**self.headers, "Accept": "application/octet-stream"})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            path.write_bytes(answer.read())

    def get(self, path: str) -> Any:
        """What is there, or the end of the program."""
        return self.done(*self.ask("GET", path))

    @staticmethod
    def done(status: int, answer: Any) -> Any:
        """The answer of a request that succeeded; GitHub's refusal ends the program."""
        if status >= 400:
            errors = "; ".join(str(error.get("message", error)) for error in answer.get("errors", []))
            fail(f"HTTP {status}: {answer.get('message')} {errors}".rstrip())
        return answer


def run(argv: Sequence[str], api: str, token: str, folder: Path) -> tuple[int, str]:
    """Run one command in a folder against the API at this root: its exit code and what it prints."""
    try:
        return 0, "".join(f"{line}\n" for line in _lines(Given(argv), GitHub(api, token), folder))
    except Failed as failed:
        return failed.code, str(failed)


def _lines(given: Given, hub: GitHub, folder: Path) -> Iterator[str]:
    if given.command == "api":
        if given.flags.get("--hostname") != "github.com":
            fail("which host?", 2)
        name, equals, value = given.flags.get("--raw-field", "").partition("=")
        yield json.dumps(
            hub.done(*hub.ask(given.flags.get("--method", "GET"), given.word(), {name: value} if equals else None))
        )
        return
    if "--repo" not in given.flags:
        fail("no repository: outside of its clone gh needs --repo", 2)
    host, _, name = given.flags["--repo"].partition("/")
    if host != "github.com":
        fail(f"another host: {host}", 2)
    repository = f"repos/{name}"
    kind, verb = given.command.split()
    if given.command == "release download":
        yield from download(hub, repository, given, folder)
        return
    commands = {"pr": pull_request, "release": release, "workflow": workflow, "run": run_of_workflow}
    yield from commands[kind](hub, repository, verb, given)


def pull_request(hub: GitHub, repository: str, verb: str, given: Given) -> Iterator[str]:
    """`gh pr create`, `close`, `view`, `list`."""
    if verb == "list":
        given.nothing_else()
        owner = repository.split("/")[1]
        query = {"state": given.flags.get("--state", "open")}
        query |= {"head": f"{owner}:{given.flags['--head']}"} if "--head" in given.flags else {}
        query |= {"base": given.flags["--base"]} if "--base" in given.flags else {}
        found = hub.get(f"{repository}/pulls?{urlencode(query)}")
        if "error(" in given.flags.get("--jq", "") and not found:
            fail("there is none")
        for pull in found:
            yield "\t".join((str(pull["number"]), pull["title"], pull["head"]["ref"], pull["state"]))
    elif verb == "create":
        given.nothing_else()
        body = {name.removeprefix("--"): text for name, text in given.flags.items() if name != "--repo"}
        if set(body) != {"base", "head", "title", "body"}:
            fail("must provide --title, --body, --head and --base when not running interactively", 2)
        yield hub.done(*hub.ask("POST", f"{repository}/pulls", body))["html_url"]
    else:
        place = f"{repository}/pulls/{given.word()}"
        pull = hub.get(place)
        if verb == "close" and pull["state"] == "open":
            pull = hub.done(*hub.ask("PATCH", place, {"state": "closed"}))
        if verb == "view" and "--json" not in given.flags:
            fail("GraphQL: Projects (classic) has been deprecated (repository.pullRequest.projectCards)")
        yield "\t".join((str(pull["number"]), pull["title"], pull["state"]))


def release(hub: GitHub, repository: str, verb: str, given: Given) -> Iterator[str]:
    """`gh release create`, `edit`, `view`."""
    tag = given.word()
    more: dict[str, object] = {}
    for name in ("draft", "prerelease"):
        if (wanted := given.flag(f"--{name}")) is not None:
            more[name] = wanted
    if (latest := given.flag("--latest")) is not None:
        more["make_latest"] = str(latest).lower()
    if "--target" in given.flags:
        more["target_commitish"] = given.flags["--target"]
    wanted_tag = given.flags.get("--tag", tag)
    if given.flag("--verify-tag") and hub.ask("GET", f"{repository}/git/ref/tags/{quote(wanted_tag)}")[0] == 404:
        fail(f"tag {wanted_tag} doesn't exist in the repo, aborting due to --verify-tag flag")
    if verb == "create":
        body = {
            "tag_name": tag,
            "name": given.flags.get("--title", ""),
            "generate_release_notes": bool(given.flag("--generate-notes")),
            **more,
        }
        yield hub.done(*hub.ask("POST", f"{repository}/releases", body))["html_url"]
        return
    found = _release_of(hub, repository, tag)
    if verb == "edit":
        names = {"--notes": "body", "--tag": "tag_name", "--title": "name"}
        more |= {key: given.flags[name] for name, key in names.items() if name in given.flags}
        if not more:
            fail("nothing to edit", 2)
        found = hub.done(*hub.ask("PATCH", f"{repository}/releases/{found['id']}", more))
    yield "\t".join((found["tag_name"], found["name"], "draft" if found["draft"] else "published"))


def download(hub: GitHub, repository: str, given: Given, folder: Path) -> Iterator[str]:
    """`gh release download`: every asset, into a folder that is made."""
    into = folder / given.flags["--dir"]
    into.mkdir(exist_ok=True)
    for asset in _release_of(hub, repository, given.word())["assets"]:
        hub.download(asset["url"], into / asset["name"])
        yield asset["name"]


def _release_of(hub: GitHub, repository: str, tag: str) -> Any:
    """The release of a tag: the published one, else a draft, which GitHub does not find by its tag."""
    status, found = hub.ask("GET", f"{repository}/releases/tags/{quote(tag)}")
    if status == 200:
        return found
    drafts = [item for item in hub.get(f"{repository}/releases?per_page=100") if item["tag_name"] == tag]
    return drafts[0] if drafts else fail("release not found")


def workflow(hub: GitHub, repository: str, verb: str, given: Given) -> Iterator[str]:
    """`gh workflow run`, on a ref or the default branch."""
    name, _, value = given.flags.get("--field", "").partition("=")
    ref = given.flags.get("--ref") or hub.get(repository)["default_branch"]
    body = {"ref": ref, "inputs": {name: value} if name else {}}
    hub.done(*hub.ask("POST", f"{repository}/actions/workflows/{given.word()}/dispatches", body))
    yield f"Created workflow_dispatch event for {given.word()} at {body['ref']}"


def run_of_workflow(hub: GitHub, repository: str, verb: str, given: Given) -> Iterator[str]:
    """`gh run list` of a workflow and a branch; `watch`, until it is completed; `view`, `cancel`, `rerun`."""
    if verb == "list":
        given.nothing_else()
        name, branch = given.flags["--workflow"], given.flags["--branch"]
        found = hub.get(f"{repository}/actions/workflows/{name}/runs?branch={branch}")["workflow_runs"]
        yield from (f"{run['status']}\t{run['display_title']}\t{run['id']}" for run in found)
        return
    place = f"{repository}/actions/runs/{given.word()}"
    if verb == "cancel":
        hub.done(*hub.ask("POST", f"{place}/cancel"))
        yield f"Request to cancel workflow {given.word()} submitted."
        return
    if verb == "rerun":
        hub.done(*hub.ask("POST", f"{place}/{'rerun-failed-jobs' if given.flag('--failed') else 'rerun'}"))
        yield f"Requested rerun of run {given.word()}"
        return
    while (found := hub.get(place))["status"] != "completed" and verb == "watch":
        time.sleep(0.2)
    yield f"{found['display_title']}\t{found['conclusion'] or found['status']}"
