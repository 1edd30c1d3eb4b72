"""The README tells the truth: its blocks run, in order, as a reader would run them.

A block is skipped only with a reason: `<!-- not run: reason -->` on the line before it. A block whose first line is a comment with a file's name, as
`# my_agent.py`, is kept as this file, so that a command after it can name it. Commands run in an empty folder, where the paths of a clone are
found as in the clone; a simulation is cut to a minute.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
README = PROJECT / "README.md"
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOB = "from {0} import {1}; {1}()".format(*PYPROJECT["scripts"]["lob"].split(":"))
BLOCK = re.compile(r"(?:<!-- not run: (?P<reason>[^\n]+?) -->\n\s*)?^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\w+\.(?:py|toml))\n")
DATA_PLACE = "../shared/data"
CLONED = ("agents", "benchmarks", "docs", "tests")
MINUTES = "1"
SHELLS = ("bash", "console", "sh", "shell")
NOT_OURS = ("git", "cd", "source", ".", "python3")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, text, first line in the README, and why it is not run, if so."""

    language: str
    text: str
    line: int
    reason: str | None

    def __str__(self):
        return f"line-{self.line}-{self.language or 'plain'}"


def blocks_of(readme):
    """Return the fenced blocks of a Markdown text."""
    return [Block(found["language"], found["text"], readme.count("\n", 0, found.start("text")) + 1, found["reason"]) for found in BLOCK.finditer(readme)]


def commands_of(block):
    """Return the commands of a shell block, each a list of words. With `$ ` prompts the other lines are output; without, every line is a command."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    parts = [part for line in lines for part in re.split(r"&&|;", line)]
    return [words for words in (shlex.split(part, comments=True) for part in parts) if words]


class Reader:
    """Who follows the README: a folder, the names of its Python blocks, and the commands typed in it."""

    def __init__(self, folder, data_folder):
        self.folder, self.data_folder = folder, data_folder
        self.module = types.ModuleType("readme")

    def follow(self, block):
        if name := FILE_NAME.match(block.text):
            (self.folder / name[1]).write_text(block.text, encoding="utf-8")
        if block.language == "python":
            self.execute(block)
        elif block.language in SHELLS:
            for words in commands_of(block):
                self.command(words)
        elif block.language in ("json", "toml"):
            {"json": json, "toml": tomllib}[block.language].loads(block.text)
        else:
            assert block.language in ("", "text"), f"{block}: nobody knows how to run it; a picture of output is `text`"

    def execute(self, block):
        path = self.folder / f"readme_line_{block.line}.py"
        path.write_text(block.text, encoding="utf-8")
        self.module.__file__ = str(path)
        exec(compile(block.text, path, "exec"), vars(self.module))

    def command(self, words):
        if words[0] == "pip":
            check_installation(words)
        elif words[0] == "lob" or (words[0] == "python" and words[1:3] != ["-m", "venv"]):
            self.run(words)
        elif words[0] == "pytest":
            assert all(self.located(word).exists() for word in words[1:] if "/" in word)
        else:
            assert words[0] in NOT_OURS + ("python",), f"the README asks for {words[0]!r}, which is not a command that it installs"

    def run(self, words):
        program = [sys.executable, *(["-c", LOB] if words[0] == "lob" else [])]
        arguments = [str(self.located(word)) if "/" in word else word for word in words[1:]]
        if words[:2] == ["lob", "simulate"]:
            arguments = shortened(arguments)
        path = os.pathsep.join([str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        done = subprocess.run([*program, *arguments], cwd=self.folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{shlex.join(words)} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"

    def located(self, word):
        """Return the path that a word means: the project's own folders are where they are in a clone, everything else is below the reader's."""
        if word.startswith(DATA_PLACE):
            return self.data_folder() / word.removeprefix(DATA_PLACE).lstrip("/")
        return (PROJECT if word.partition("/")[0] in CLONED else self.folder) / word


def shortened(arguments):
    """Return the arguments of `lob simulate` with a minute to simulate."""
    if "--minutes" in arguments:
        i = arguments.index("--minutes")
        arguments = arguments[:i] + arguments[i + 2:]
    return [*arguments, "--minutes", MINUTES]


def check_installation(words):
    """Assert that what pip is asked to install is this project, with extras that it has."""
    assert words[1] == "install"
    for target in (word for word in words[2:] if not word.startswith("-")):
        name, _, extras = target.rstrip("]").partition("[")
        assert name in (".", PYPROJECT["name"])
        assert set(filter(None, extras.split(","))) <= set(PYPROJECT["optional-dependencies"])


def readme_blocks():
    return blocks_of(README.read_text(encoding="utf-8")) if README.exists() else []


@pytest.fixture(scope="module")
def reader(tmp_path_factory, request):
    """Return the Reader of this README; its folder is the current one while it reads."""
    reader = Reader(tmp_path_factory.mktemp("reader"), lambda: request.getfixturevalue("data_folder"))
    home, sys.modules["readme"] = os.getcwd(), reader.module
    sys.path.insert(0, str(reader.folder))
    os.chdir(reader.folder)
    yield reader
    os.chdir(home)
    sys.path.remove(str(reader.folder))
    del sys.modules["readme"]


@pytest.mark.parametrize("block", readme_blocks(), ids=str)
def test_a_block_of_the_readme_does_what_it_says(reader, block):
    if block.reason:
        pytest.skip(f"not run: {block.reason}")
    reader.follow(block)


def test_the_readme_shows_the_two_commands_and_an_agent():
    blocks = readme_blocks()
    commands = [words for block in blocks if block.language in SHELLS for words in commands_of(block)]
    assert ["pip", "install", "."] in commands
    assert ["pip", "install", ".[test]"] in commands
    assert ["lob", "simulate"] in commands
    assert ["pytest"] in commands
    assert any("(Agent):" in block.text for block in blocks if block.language == "python")


def test_the_readmes_pictures_and_pages_are_in_the_project():
    text = re.sub(BLOCK, "", README.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r"src=\"([^\"]+)\"", text)
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (PROJECT / target).exists()] == []


def test_a_block_with_a_reason_is_found_and_not_run():
    text = "a\n<!-- not run: takes an hour -->\n```bash\nlob bench\n```\n\n```console\n$ lob verify runs/a\nfine\n```\n"
    first, second = blocks_of(text)
    assert (first.reason, first.line, first.language) == ("takes an hour", 4, "bash")
    assert (second.reason, second.line, commands_of(second)) == (None, 8, [["lob", "verify", "runs/a"]])


def test_commands_are_cut_at_the_shells_own_signs():
    block = Block("bash", "pip install '.[test]' && pytest  # all of them\nlob simulate \\\n  --seed 3\n", 1, None)
    assert commands_of(block) == [["pip", "install", ".[test]"], ["pytest"], ["lob", "simulate", "--seed", "3"]]


@pytest.mark.parametrize("command", ["pip install queuerase", "pip install .[tset]", "pip uninstall .", "make install"])
def test_a_command_that_would_not_work_is_noticed(tmp_path, command):
    with pytest.raises(AssertionError):
        Reader(tmp_path, None).follow(Block("bash", command, 1, None))


def test_a_python_block_that_fails_is_noticed(tmp_path):
    with pytest.raises(ZeroDivisionError):
        Reader(tmp_path, None).follow(Block("python", "1 / 0\n", 1, None))


def test_a_program_that_fails_is_noticed(tmp_path):
    reader = Reader(tmp_path, None)
    reader.follow(Block("python", "# broken.py\nvalue = 1\n", 1, None))
    reader.follow(Block("bash", "python broken.py", 1, None))
    with pytest.raises(AssertionError, match="ended with"):
        reader.follow(Block("bash", "python missing.py", 1, None))


def test_python_blocks_share_their_names(tmp_path):
    reader = Reader(tmp_path, None)
    reader.follow(Block("python", "lots = 3\n", 1, None))
    reader.follow(Block("python", "assert lots == 3\n", 5, None))
    assert reader.module.lots == 3
