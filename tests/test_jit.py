"""Native code: kept on disk, never stale, and as safe as a pointer without bounds can be."""
import importlib
import os
import shutil
import subprocess
import sys
import types as pytypes
from pathlib import Path

import numpy as np
import pytest
from full_disk import file_size_limit

import lob.jit
from lob.jit import HOOK, call_at, entry_point, jit, leading_zeros, module_stamp, overload_method, pool_reader, record_subtype, types

PROGRAM = "import {module}; print({module}.total(2), sum({module}.total.stats.cache_hits.values()), sum({module}.total.stats.cache_misses.values()))"
LEVEL = np.dtype([("price_ticks", "i8"), ("lots", "i4"), ("side", "i1")], align=True)


class Workshop:
    """A folder with a package of its own called lob, which holds the real jit.py, and a cache of its own."""

    def __init__(self, folder):
        self.folder, self.cache = folder, folder / "cache"
        (folder / "lob").mkdir()
        shutil.copy(lob.jit.__file__, folder / "lob" / "jit.py")
        self.write("lob/__init__.py", "")

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def run(self, program, **environment):
        """Run a program in a new process; return the words it prints."""
        # Two edits within a second and of one length would be one to Python's own cache of byte code.
        python = {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", "LOB_CACHE_DIR": str(self.cache)}
        command, environment = [sys.executable, "-c", program], os.environ | python | environment
        done = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def total(self, module, **environment):
        """Return [result, cache hits, cache misses] of `module.total` in a new process."""
        return [int(word) for word in self.run(PROGRAM.format(module=module), **environment)]


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path)


@pytest.fixture
def package(workshop):
    """Return a workshop where lob.caller.total(lots) calls lob.callee.fee(lots), 10 a lot."""
    workshop.write("lob/callee.py", "from lob.jit import jit\n\n@jit\ndef fee(lots):\n    return 10 * lots\n")
    workshop.write("lob/caller.py", "from lob.callee import fee\nfrom lob.jit import jit\n\n@jit\ndef total(lots):\n    return fee(lots) + 1\n")
    return workshop


@pytest.fixture
def strategy(tmp_path, monkeypatch):
    """Return a user's module, imported: it takes a function from prices, which takes one from rates, and a number from settings."""
    texts = {
        "rates": "def fee(lots):\n    return 10 * lots\n",
        "prices": "import rates\n\ndef quote(lots):\n    return rates.fee(lots) + 1\n",
        "settings": "LOTS = 3\n",
        "strategy": "from prices import quote\nfrom settings import LOTS\n\ndef total():\n    return quote(LOTS) + 100\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("strategy")
    for name in texts:
        sys.modules.pop(name, None)


def edit(workshop, name, old, new):
    path = workshop.folder / name
    path.write_text(path.read_text().replace(old, new))


def test_a_second_process_is_served_from_the_cache(package):
    assert package.total("lob.caller") == [21, 0, 1]
    assert package.total("lob.caller") == [21, 1, 0]


def test_another_copy_of_the_same_package_is_served_from_the_cache_too(package, tmp_path):
    package.total("lob.caller")
    shutil.copytree(package.folder / "lob", tmp_path / "elsewhere" / "lob")
    package.folder = tmp_path / "elsewhere"
    assert package.total("lob.caller") == [21, 1, 0]


def test_an_edit_in_the_function_itself_compiles_it_anew(package):
    package.total("lob.caller")
    edit(package, "lob/caller.py", "+ 1", "+ 2")
    assert package.total("lob.caller") == [22, 0, 1]


def test_an_edit_in_a_callee_in_another_file_is_never_answered_by_stale_code(package):
    package.total("lob.caller")
    edit(package, "lob/callee.py", "10 *", "20 *")
    assert package.total("lob.caller") == [41, 0, 1]
    assert package.total("lob.caller") == [41, 1, 0]


def test_going_back_to_an_earlier_source_gives_the_earlier_result(package):
    package.total("lob.caller")
    edit(package, "lob/callee.py", "10 *", "20 *")
    package.total("lob.caller")
    edit(package, "lob/callee.py", "20 *", "10 *")
    assert package.total("lob.caller")[0] == 21


@pytest.mark.parametrize("name", ["strategy", "prices", "rates", "settings"])
def test_the_stamp_of_a_users_module_changes_with_every_file_behind_it(strategy, name):
    before = module_stamp(strategy)
    path = Path(strategy.__file__).with_name(f"{name}.py")
    path.write_text(path.read_text().replace("1", "2").replace("3", "4"))
    assert module_stamp(strategy) != before


def test_the_stamp_of_a_users_module_is_the_same_while_nothing_changes(strategy):
    before = module_stamp(strategy)
    Path(strategy.__file__).with_name("notes.py").write_text("LOTS = 5\n")
    assert module_stamp(strategy) == before


def test_the_stamp_of_an_installed_agent_changes_with_its_own_package(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages" / "population"
    folder.mkdir(parents=True)
    for name, text in {"__init__": "", "fees": "FEE = 1\n", "maker": "from population.fees import FEE\n"}.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(folder.parent)
    maker = importlib.import_module("population.maker")
    before = module_stamp(maker)
    (folder / "fees.py").write_text("FEE = 2\n")
    assert module_stamp(maker) != before


def test_what_is_typed_at_the_prompt_has_no_stamp_and_is_not_kept():
    assert module_stamp(pytypes.ModuleType("__main__")) is None


def test_code_that_is_not_to_be_kept_leaves_nothing_on_disk(package):
    edit(package, "lob/callee.py", "@jit", "@jit(keep=False)")
    edit(package, "lob/caller.py", "@jit", "@jit(keep=False)")
    assert package.total("lob.caller")[0] == 21
    assert not list(package.cache.rglob("*.nb*"))


def test_code_goes_where_the_environment_says_and_nowhere_else(package):
    elsewhere = package.folder / "home"
    package.total("lob.caller", HOME=str(elsewhere), XDG_CACHE_HOME=str(elsewhere / "cache"))
    assert list(package.cache.rglob("*.nbi"))
    assert not elsewhere.exists()
    assert not list((package.folder / "lob").rglob("*.nbi"))


def test_without_the_variable_code_goes_to_the_users_cache_folder(package):
    elsewhere = package.folder / "home"
    package.total("lob.caller", LOB_CACHE_DIR="", HOME=str(elsewhere), XDG_CACHE_HOME=str(elsewhere / "cache"))
    assert list(elsewhere.rglob("*.nbi"))
    assert not package.cache.exists()


def test_a_cache_folder_that_cannot_be_written_costs_time_and_nothing_else(package):
    package.write("a_file", "")
    assert package.total("lob.caller", LOB_CACHE_DIR=str(package.folder / "a_file" / "cache"))[0] == 21


def test_the_checks_of_a_debug_build_are_not_served_to_a_plain_one(package):
    package.write("lob/callee.py", "from lob.jit import DEBUG, jit\n\n@jit\ndef fee(lots):\n    return 1000 if DEBUG else 10 * lots\n")
    assert package.total("lob.caller", LOB_DEBUG="0")[0] == 21
    assert package.total("lob.caller", LOB_DEBUG="1")[0] == 1001
    assert package.total("lob.caller", LOB_DEBUG="0")[0] == 21


level_at = pool_reader(LEVEL)


@jit(signature=HOOK, keep=False)
def hook_that_refuses(out, lots, unused):
    if lots < 0:
        raise ValueError("lots below zero")
    level_at(out, 0).lots = lots


@jit(keep=False)
def call_and_add_one(function, out, lots):
    call_at(function, out, lots, 0)
    level_at(out, 0).lots += 1


def test_a_function_called_by_its_address_does_its_work():
    levels = np.zeros(1, LEVEL)
    call_and_add_one(entry_point(hook_that_refuses), levels.ctypes.data, 7)
    assert levels["lots"][0] == 8


def test_an_exception_in_a_function_called_by_its_address_reaches_the_caller():
    levels = np.zeros(1, LEVEL)
    with pytest.raises(ValueError, match="lots below zero"):
        call_and_add_one(entry_point(hook_that_refuses), levels.ctypes.data, -1)
    assert levels["lots"][0] == 0


def test_a_function_served_from_the_cache_can_be_called_by_its_address(workshop):
    workshop.write("lob/hooks.py", (
        "from lob.jit import HOOK, call_at, entry_point, jit\n\n"
        "@jit(signature=HOOK)\ndef hook(a, b, c):\n    if a < 0:\n        raise ValueError('below zero')\n\n"
        "@jit\ndef call(function, a):\n    call_at(function, a, 0, 0)\n    return a\n"
    ))
    program = (
        "from lob.hooks import call, entry_point, hook\nprint(call(entry_point(hook), 5))\n"
        "try:\n    call(entry_point(hook), -1)\nexcept ValueError as error:\n    print(error)\nprint(sum(hook.stats.cache_hits.values()))"
    )
    assert workshop.run(program) == ["5", "below", "zero", "0"]
    assert workshop.run(program) == ["5", "below", "zero", "1"]


@jit(keep=False)
def zeros_above(word):
    return leading_zeros(word)


@pytest.mark.parametrize("bit", range(64))
def test_leading_zeros_finds_the_highest_bit_of_every_word(bit):
    power = np.uint64(1 << bit).astype(np.int64)
    below = np.uint64((2 << bit) - 1).astype(np.int64)
    assert zeros_above(power) == zeros_above(below) == 63 - bit


@jit(keep=False)
def write_levels(levels, count):
    for i in range(count):
        level = level_at(levels, i)
        level.price_ticks, level.lots, level.side = 2**31 - i, i, -1
    return level_at(levels, count - 1).lots


def test_a_record_behind_a_pointer_reads_and_writes_in_place():
    levels = np.zeros(5, LEVEL)
    assert write_levels(levels.ctypes.data, 5) == 4
    assert levels["price_ticks"].tolist() == [2**31 - i for i in range(5)]
    assert levels["lots"].tolist() == [0, 1, 2, 3, 4]
    assert set(levels["side"].tolist()) == {-1}


BID, ASK = record_subtype(LEVEL, "Bid"), record_subtype(LEVEL, "Ask")
bid_at, ask_at = pool_reader(BID), pool_reader(ASK)


@overload_method(type(BID), "improve")
def _improve_bid(level, ticks):
    def improve(level, ticks):
        level.price_ticks += ticks

    return improve


@overload_method(type(ASK), "improve")
def _improve_ask(level, ticks):
    def improve(level, ticks):
        level.price_ticks -= ticks

    return improve


@jit(keep=False)
def improve_both(bid, ask, ticks):
    bid_at(bid, 0).improve(ticks)
    ask_at(ask, 0).improve(ticks)


def test_two_kinds_of_record_over_the_same_fields_have_each_their_own_methods():
    levels = np.array([(99, 5, 1), (102, 5, -1)], LEVEL)
    improve_both(levels.ctypes.data, levels.ctypes.data + LEVEL.itemsize, 1)
    assert levels["price_ticks"].tolist() == [100, 101]


def test_the_source_hash_is_of_every_file_of_the_package(package):
    program = "from lob.jit import source_hash; print(source_hash())"
    before = package.run(program)
    assert package.run(program) == before
    edit(package, "lob/callee.py", "10 *", "20 *")
    assert package.run(program) != before


def test_linear_algebra_is_imported_for_code_that_uses_it_and_not_before(package):
    package.write("lob/product.py", "import numpy as np\n\nfrom lob.jit import jit\n\n@jit\ndef product(a, b):\n    return np.dot(a, b)\n")
    program = (
        "import sys\nimport numpy as np\nfrom lob.jit import jit\n"
        "print(jit(lambda lots: lots + 1, keep=False)(1), 'scipy.linalg' in sys.modules)\n"
        "from numba.np import arraymath\nprint(arraymath._HAVE_BLAS)\n"
        "from lob.product import product\nprint(product(np.arange(3.0), np.arange(3.0)), 'scipy.linalg' in sys.modules)"
    )
    assert package.run(program) == ["2", "False", "True", "5.0", "True"]


def answer():
    return NUMBER  # noqa: F821


def test_code_that_could_not_be_kept_is_never_taken_for_that_of_the_edited_source(tmp_path, monkeypatch):
    """On a full disk the index was of the new source, and the code beside it still of the old one: an edited agent ran as it was before, without a word."""
    monkeypatch.setenv("LOB_CACHE_DIR", str(tmp_path))

    def answered(stamp, number):
        function = pytypes.FunctionType(answer.__code__, {"NUMBER": number}, "answer")
        function.__module__, function.__stamp__ = __name__, stamp
        return jit(function, types.int64())()

    assert answered("before", 1) == 1
    index, code = (next(tmp_path.rglob(f"*.{suffix}")).stat().st_size for suffix in ("nbi", "nbc"))
    with file_size_limit((index + code) // 2):
        assert answered("edited", 2) == 2
    assert answered("edited", 3) == 3
    assert answered("edited", 4) == 3  # It was kept now.
