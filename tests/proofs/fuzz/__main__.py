"""Long runs: `python -m tests.proofs.fuzz [--seconds N] [TARGET …]` gives each target to atheris for so long.

atheris follows which branches an input reaches and goes on from those that reach new ones. Each target has a process
of its own; an input that breaks one is left in the current folder as `crash-…`, to be put into the target's corpus when
it is mended. Needs the dependency group `fuzz` (Python 3.11 to 3.13).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

CORPUS = Path(__file__).with_name("corpus")


def main() -> None:
    """Run the targets one after the other; exit code 1 where one broke."""
    try:
        import atheris  # noqa: F401 - only whether it is there
    except ImportError:
        sys.exit("atheris is not installed: pip install --group fuzz")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("target", nargs="*", help="all of them, where none is named")
    given = parser.parse_args()
    names = given.target or sorted(path.name for path in CORPUS.iterdir())
    broken, total = [], 0
    for name in names:
        # -c: as the main module, this one would be imported before anything is instrumented.
        code = f"from tests.proofs.fuzz.__main__ import fuzz; fuzz({name!r}, {given.seconds})"
        done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, errors="replace")
        runs = int((re.findall(r"^(?:Done |#)(\d+)", done.stderr, re.MULTILINE) or ["0"])[-1])
        total += runs
        print(f"{name}: {runs:,} executions{', BROKEN' if done.returncode else ''}", flush=True)
        if done.returncode:
            broken.append(name)
            print(done.stderr[-3000:], flush=True)
    print(f"{len(names)} targets, {total:,} executions, broken: {', '.join(broken) or 'none'}")
    sys.exit(bool(broken))


def fuzz(name: str, seconds: int) -> None:
    """Give one target to atheris; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["release_state", "pypi_simple", "packaging"]):
        from tests.proofs.fuzz.mutations import mutated
        from tests.proofs.fuzz.targets import LONGEST, TARGETS
    target = TARGETS[name]

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        return mutated(data, random, most) if random.random() < 0.5 else bytes(atheris.Mutate(data, most))[:most]

    with tempfile.TemporaryDirectory(prefix="release-state-fuzz-") as found:
        # What is found to reach something new goes into the first folder.
        options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20", "-verbosity=1"]
        atheris.Setup([name, *options, found, str(CORPUS / name)], target.run, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
