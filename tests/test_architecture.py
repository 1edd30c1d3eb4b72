"""The architecture: what may import what, how things are called and how long they are. Reads the sources; runs next to none of them."""
import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lob

PROJECT = Path(__file__).parents[1]
SOURCES = sorted([*PROJECT.glob("lob/**/*.py"), *PROJECT.glob("agents/**/*.py")])
ALL_FILES = sorted([*SOURCES, *PROJECT.glob("tests/**/*.py"), *PROJECT.glob("benchmarks/**/*.py")])
TREES = {path: ast.parse(path.read_text(encoding="utf-8"), path) for path in ALL_FILES}

# Data flows one way, agents -> exchange -> tape -> analytics -> report; a room may import its own modules and these.
GROUND = {"messages", "errors", "files", "integers", "jit", "instrument"}
MAY_IMPORT = {
    "messages": set(),
    "errors": set(),
    "files": set(),
    "integers": set(),
    "jit": set(),
    "parts": {"jit"},
    "schedule": {"jit"},
    "instrument": {"messages", "errors"},
    "exchange": {"messages", "errors", "files", "jit", "schedule"},
    "feeds": GROUND,
    # The one way back: what a user can ask of a run or a tape, each answer imported when it is asked for.
    "questions": {"analytics", "report"},
    "tape": GROUND | {"exchange", "feeds", "questions"},
    "simulation": GROUND | {"exchange", "feeds", "parts", "questions", "schedule", "tape"},
    "analytics": GROUND | {"tape"},
    "signals": GROUND | {"analytics", "simulation"},
    "report": GROUND | {"tape", "analytics"},
    "bench": GROUND | {"exchange"},
    "grid": GROUND | {"feeds", "simulation", "analytics"},
    "cli": GROUND | {"exchange", "feeds", "tape", "simulation", "analytics", "report", "bench", "grid", "__version__"},
    "__init__": set(),
}

# Analytics are pure functions of arrays: nothing else can be reached from there.
ANALYTICS_LIBRARIES = {
    "collections", "dataclasses", "decimal", "enum", "fractions", "functools", "itertools", "lob", "math", "numpy", "polars", "scipy", "typing",
}
INPUT_OUTPUT_CALLS = {"open", "print", "input", "save", "savez", "savetxt", "load", "loadtxt", "tofile", "fromfile", "genfromtxt", "memmap", "exec", "eval"}
INPUT_OUTPUT_PREFIXES = ("read_", "write_", "scan_", "sink_")

# Simulated time is the only time, and a seeded stream the only chance.
CLOCKLESS_ROOMS = ("agents", "lob/analytics", "lob/exchange", "lob/feeds", "lob/messages.py", "lob/simulation/kernel.py", "lob/tape")
CLOCKS_AND_CHANCE = {"datetime", "random", "secrets", "time", "uuid"}
SEEDED_NAMES = {"Generator", "PCG64", "SeedSequence", "default_rng"}

BANNED_WORDS = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
UNFINISHED = {"TO" + "DO", "FIX" + "ME", "XX" + "X"}
LIBRARIES_OF_TABLES = ("pandas", "plotly", "polars", "pyarrow", "rich", "typer")
HEAVY_LIBRARIES = (*LIBRARIES_OF_TABLES, "llvmlite", "numba", "scipy")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 400
TOP_LEVEL = {"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "agents", "benchmarks", "docs", "lob", "pyproject.toml", "tests"}

PUBLIC_NAMES = [
    "Action", "Agent", "AgentError", "Allocation", "Array", "CancelReason", "FeeTier", "Feed", "FeedError", "Flag", "FlowSignals", "Fundamental",
    "Instrument", "Latency", "LobError", "MarkoutSignal", "OrderBook", "Phase", "QueueSignals", "REPORT", "REQUEST", "ReferenceBook", "RejectReason",
    "ReportKind", "Run", "ScenarioError", "SelfTrade", "Side", "Simulation", "Tape", "TapeError", "TimeInForce", "Venue", "__version__",
    "check_agent", "choice", "compiled", "exponential", "feeds", "fill_markouts", "gamma", "lognormal", "markouts", "normal", "profit_and_loss",
    "sweep", "uniform", "verify",
]


def name_of(path):
    return str(path.relative_to(PROJECT))


def files_in(*places):
    return [path for path in SOURCES if name_of(path).startswith(places)]


def nodes_of(paths, kind):
    return [(path, node) for path in paths for node in ast.walk(TREES[path]) if isinstance(node, kind)]


def imports_of(paths):
    """Return [(path, dotted name, place)] of what files import anywhere in them; `from a import b` gives a.b, relative imports are made absolute."""
    found = []
    for path, node in nodes_of(paths, (ast.Import, ast.ImportFrom)):
        origin = ""
        if isinstance(node, ast.ImportFrom):
            package = path.relative_to(PROJECT).parts[:-node.level] if node.level else ()
            origin = ".".join([*package, *filter(None, [node.module])]) + "."
        found += [(path, origin + alias.name, f"{name_of(path)}:{node.lineno} imports {origin}{alias.name}") for alias in node.names]
    return found


def library_of(name):
    return name.partition(".")[0]


def room_of(path):
    """Return the part of `lob` that a file belongs to: a folder or a single module."""
    return path.relative_to(PROJECT / "lob").parts[0].removesuffix(".py")


def called(node):
    """Return the last name of what a call calls."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def says_nothing(name):
    """Return whether one of the words in a name, snake_case or CamelCase, is banned."""
    return not BANNED_WORDS.isdisjoint("".join(f"_{letter}" if letter.isupper() else letter for letter in name).lower().split("_"))


def loaded_by(statement, libraries):
    """Return which libraries a new process has loaded after a statement."""
    program = f"import sys; {statement}; print(*[name for name in {libraries} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()


def test_an_import_never_points_back_up_the_flow_of_data():
    inside = [(room_of(path), name.split(".")[1], place) for path, name, place in imports_of(files_in("lob/")) if library_of(name) == "lob"]
    assert [place for room, target, place in inside if target not in MAY_IMPORT[room] | {room}] == []


def test_every_room_of_the_house_has_its_rules():
    assert {room_of(path) for path in files_in("lob/")} <= set(MAY_IMPORT)


def test_the_engine_knows_no_agent_of_the_population():
    assert [place for _, name, place in imports_of(files_in("lob/")) if library_of(name) == "agents"] == []


def test_agents_use_only_what_every_user_can_import():
    allowed = {"lob", *(f"lob.{name}" for name in PUBLIC_NAMES)}
    assert [place for _, name, place in imports_of(files_in("agents/")) if library_of(name) == "lob" and name not in allowed] == []


def test_only_two_modules_touch_the_compiler():
    assert {name_of(path) for path, name, _ in imports_of(SOURCES) if library_of(name) in ("numba", "llvmlite")} == {"lob/jit.py", "lob/parts.py"}


def test_analytics_are_functions_of_the_tape_and_nothing_else():
    paths = files_in("lob/analytics/")
    foreign = [place for _, name, place in imports_of(paths) if library_of(name) not in ANALYTICS_LIBRARIES]
    calls = [(name_of(path), node.lineno, called(node)) for path, node in nodes_of(paths, ast.Call)]
    assert foreign + [call for call in calls if call[-1] in INPUT_OUTPUT_CALLS or call[-1].startswith(INPUT_OUTPUT_PREFIXES)] == []


def test_nothing_that_makes_a_tape_reads_a_clock_or_an_unseeded_stream():
    clocks = [place for _, name, place in imports_of(files_in(*CLOCKLESS_ROOMS)) if library_of(name) in CLOCKS_AND_CHANCE]
    streams = [(path, node) for path, node in nodes_of(SOURCES, ast.Attribute) if ast.unparse(node.value) in ("np.random", "numpy.random")]
    draws = [(name_of(path), node.lineno, node.attr) for path, node in streams]
    assert clocks + [draw for draw in draws if draw[-1] not in SEEDED_NAMES] == []


def test_no_module_and_no_class_has_a_name_that_says_nothing():
    names = {part.removesuffix(".py") for path in ALL_FILES for part in path.relative_to(PROJECT).parts}
    names |= {node.name for _, node in nodes_of(SOURCES, ast.ClassDef)}
    assert [name for name in sorted(names) if says_nothing(name)] == []


def test_every_module_opens_with_what_it_owns():
    assert [name_of(path) for path in SOURCES if not ast.get_docstring(TREES[path])] == []


def test_a_function_fits_the_screen_and_a_module_a_sitting():
    functions = [(f"{name_of(path)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1) for path, node in nodes_of(SOURCES, FUNCTIONS)]
    modules = [(name_of(path), path.read_text(encoding="utf-8").count("\n")) for path in SOURCES]
    assert [place for place in functions if place[1] > FUNCTION_LINES_MAX] + [place for place in modules if place[1] > MODULE_LINES_MAX] == []


def test_nothing_is_left_for_later():
    assert [name_of(path) for path in ALL_FILES if not UNFINISHED.isdisjoint(path.read_text(encoding="utf-8").replace(":", " ").split())] == []


def test_no_error_is_caught_without_a_name():
    assert [f"{name_of(path)}:{node.lineno}" for path, node in nodes_of(ALL_FILES, ast.ExceptHandler) if node.type is None] == []


def test_the_public_surface_is_this_and_changes_on_purpose():
    assert list(lob.__all__) == PUBLIC_NAMES


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_every_public_name_is_there(name):
    assert getattr(lob, name) is not None
    assert name in dir(lob)


def test_an_unknown_name_is_refused_as_by_any_module():
    with pytest.raises(AttributeError, match="OrderBok"):
        _ = lob.OrderBok


def test_importing_the_package_loads_no_heavy_library():
    assert loaded_by("import lob", HEAVY_LIBRARIES) == []


def test_an_agent_and_its_simulation_load_neither_tables_nor_figures():
    assert loaded_by("from lob import Agent, Simulation, compiled", LIBRARIES_OF_TABLES) == []


def test_the_top_level_holds_what_the_design_names():
    listed = subprocess.run(["git", "-C", PROJECT, "ls-files"], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone: nothing says which files belong to the project")
    top = {name.partition("/")[0] for name in listed.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL
