"""Native code of agents: how one class body becomes machine code.

An agent's fields become a record, and each hook is compiled with `self` as that record, for the kernel's one signature. Owns that translation: methods,
properties, constants and `super()` of the class, functions of its module, and what the compiler says in plain words.
"""
import ast
import copy
import hashlib
import inspect
import re
import sys
import types as pytypes
from enum import Enum

import numpy as np

from lob.errors import AgentError
from lob.jit import HOOK, PACKAGE, module_stamp, pool_reader, record_subtype
from lob.parts import add_constant, add_property, add_record_method, compiled_together, field_writes, part
from lob.simulation import outbox
from lob.simulation.arguments import checked_int
from lob.simulation.compilable import definition_of, is_super, near, super_calls
from lob.simulation.fields import Array, dtype_of, word_of
from lob.simulation.market import market_from, notice_from, trade_from
from lob.simulation.window import Market
from lob.simulation.world import HOOKS

_NATIVE = {}


class Native:
    """An agent class as native code: the dtype of its state and the addresses of its hooks (0 where it has none).

    base: the class below which nothing belongs to the user. fields: {name: kind}. with_notice: the hooks that are told of something.
    """

    def __init__(self, cls, base, fields, with_notice):
        self.cls, self.base, self.fields, self.with_notice = cls, base, fields, with_notice
        self.dtype = dtype_of(fields)
        self.record = record_subtype(self.dtype, f"{cls.__name__}State")
        self.functions = {}
        self.bodies = []
        for name, function in methods_of(cls, base).items():
            _add_method(self.record, name, self.native_function(function), isinstance(inspect.getattr_static(cls, name), staticmethod))
            self._add_supers(function)
        for name, value in constants_of(cls, base, fields).items():
            if isinstance(value, property):
                add_property(self.record, name, self.native_function(value.fget))
            else:
                add_constant(self.record, name, value)
        self._compile()

    def _compile(self):
        """Compile the hooks as one whole, or take it from disk, and note where they are."""
        cls, present = self.cls, [i for i, name in enumerate(HOOKS) if hasattr(self.cls, name)]
        hooks, stamp = [self._hook(HOOKS[i]) for i in present], module_stamp(sys.modules.get(cls.__module__))
        attributes = {
            "__module__": cls.__module__, "__qualname__": f"{cls.__module__}.{cls.__qualname__}.hooks", "__stamp__": f"{stamp}-{self._code_stamp()}",
            "__check__": self._check_writes,
        }
        outbox.doors.open()
        try:
            self.whole, addresses = compiled_together([(hook, HOOK) for hook in hooks], attributes, keep=stamp is not None)
        except AgentError:
            raise
        except Exception as error:
            raise self._refusal(hooks, error) from error
        self._check_writes()
        self.hooks = np.zeros(len(HOOKS), np.int64)
        self.hooks[present] = addresses

    def _hook(self, name):
        """Return a hook as a part for the kernel's one signature: it casts the three addresses and calls the class's own function."""
        template = _call_with if name in self.with_notice else _call_bare
        scope = {
            "hook": self.native_function(getattr(self.cls, name)), "state_at": pool_reader(self.record), "market_from": market_from,
            "notice_from": trade_from if name == "on_trade" else notice_from,
        }
        function = pytypes.FunctionType(template.__code__, scope, name)
        function.__module__, function.__qualname__ = self.cls.__module__, f"{self.cls.__module__}.{self.cls.__qualname__}.{name}"
        return part(function)

    def _refusal(self, hooks, error):
        """Return the error of the first hook that cannot be compiled."""
        for hook in hooks:
            try:
                hook.compile(HOOK)
            except Exception as its_own:
                return AgentError(f"{self.cls.__name__}.{hook.__name__} cannot be compiled: {plain_words(its_own)}")
        return AgentError(f"{self.cls.__name__} cannot be compiled: {plain_words(error)}")

    def _check_writes(self):
        """Raise AgentError if a compiled function writes what does not fit into a field: the compiler would cut a float to an integer, and Python does not."""
        for function, (field, kind, line) in [(function, write) for function, code in self.bodies for write in field_writes(code, self.record)]:
            wanted = self.fields[field]
            if (wanted is int and kind == "float") or (wanted is bool and kind != "bool"):
                place, file = f"{self.cls.__name__}.{function.__name__}", function.__code__.co_filename
                raise AgentError(f"{place} cannot be compiled: self.{field} is {word_of(wanted)} and cannot be set to a {kind} ({file}, line {line})")

    def native_function(self, function):
        """Return a function as native code, in which `int` raises where Python's does and Python's own functions are native too."""
        if function not in self.functions:
            self.functions[function] = None  # A function that calls itself is left to the compiler.
            names = function.__code__.co_names
            scope = {**function.__globals__, "int": checked_int}
            scope |= {name: self._native_value(scope[name]) for name in names if isinstance(scope.get(name), pytypes.FunctionType)}
            body = _without_super(function, self.cls)
            cells = tuple(pytypes.CellType(self._native_value(cell.cell_contents)) for cell in body.__closure__ or ())
            copied = pytypes.FunctionType(body.__code__, scope, function.__name__, function.__defaults__, cells)
            copied.__module__, copied.__qualname__, copied.__kwdefaults__ = function.__module__, function.__qualname__, function.__kwdefaults__
            self.functions[function] = part(copied, bounds=any(isinstance(kind, Array) for kind in self.fields.values()))
            self.bodies.append((function, self.functions[function]))
        return self.functions[function]

    def _native_value(self, value):
        is_own = isinstance(value, pytypes.FunctionType) and self.functions.get(value, value) is not None
        return self.native_function(value) if is_own else value

    def _add_supers(self, function):
        """Make the methods that a function calls by super(), and those that these call, methods of the record."""
        for name in super_calls(function):
            above = next_above(self.cls, self.base, function, name)
            if above is not None and (own := _super_name(self.cls, function, name)) not in self.functions:
                self.functions[own] = above
                _add_method(self.record, own, self.native_function(above), False)
                self._add_supers(above)

    def _code_stamp(self):
        """Return what tells two classes of one name in one file apart: their code, constants and field types."""
        def digest(code):
            constants = [digest(c) if isinstance(c, pytypes.CodeType) else repr(c) for c in code.co_consts]
            return (code.co_code.hex(), code.co_names, code.co_varnames, constants)

        functions = [f for f in self.functions if not isinstance(f, str)]
        free = [repr(cell.cell_contents) for f in functions for cell in f.__closure__ or () if not isinstance(cell.cell_contents, (type, pytypes.FunctionType))]
        parts = [sorted((f.__qualname__, digest(f.__code__), f.__defaults__) for f in functions), sorted((n, word_of(k)) for n, k in self.fields.items())]
        constants = sorted((n, repr(value)) for n, value in constants_of(self.cls, self.base, self.fields).items() if not isinstance(value, property))
        return hashlib.blake2b(repr([parts, constants, free]).encode(), digest_size=12).hexdigest()


def native(cls, base, fields, with_notice):
    """Return the Native form of a class, compiled at the first call in a process (or taken from disk)."""
    if cls not in _NATIVE:
        _NATIVE[cls] = Native(cls, base, fields, with_notice)
    return _NATIVE[cls]


def methods_of(cls, base):
    """Return {name: function} of what an agent class can do beyond its base: hooks, methods and static methods."""
    return {name: member for name, member in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("__") and not hasattr(base, name)}


def constants_of(cls, base, fields):
    """Return {name: value} of what a class body sets without making it a field: numbers, tuples of them, members of enums; and its properties."""
    found = {}
    for name in dir(cls):
        value = inspect.getattr_static(cls, name)
        if name not in fields and not name.startswith("_") and (not hasattr(base, name) or name in ("role", "sees_fundamental")) and _is_constant(value):
            found[name] = value
    return found


def _is_constant(value):
    if isinstance(value, tuple):
        return len(value) > 0 and all(_is_constant(item) for item in value)
    return isinstance(value, (int, float, bool, Enum, np.number, np.bool_, property))


def next_above(cls, base, function, name):
    """Return the method that `super().name` in a function of an agent class means, None if there is none."""
    order = list(cls.__mro__)
    for i, owner in enumerate(order):
        if function in [getattr(value, "__func__", value) for value in owner.__dict__.values()]:
            return next((c.__dict__[name] for c in order[i + 1:] if name in c.__dict__ and issubclass(c, base) and c is not base), None)
    return None


def _super_name(cls, function, name):
    """Return the name under which a record has the method that `super().name` means in a function."""
    owner = next(i for i, c in enumerate(cls.__mro__) if function in c.__dict__.values())
    return f"super_{owner}_{name}"


def _without_super(function, cls):
    """Return a function in which super().method(...) is self.super_0_method(...), which a record can have."""
    if "__class__" not in function.__code__.co_freevars:
        return function
    node = definition_of(function)
    if node is None:
        raise AgentError(f"{cls.__name__}.{function.__name__} cannot be compiled: it uses super(), and its source is not to be had")
    node = copy.deepcopy(node)
    me = node.args.args[0].arg
    for found in [n for n in ast.walk(node) if is_super(n)]:
        found.value, found.attr = ast.copy_location(ast.Name(me, ast.Load()), found), _super_name(cls, function, found.attr)
    node.decorator_list = []
    free = {name: cell for name, cell in zip(function.__code__.co_freevars, function.__closure__, strict=True) if name != "__class__"}
    outer = ast.parse(f"def outer({', '.join(free)}):\n    pass").body[0]
    outer.body = [node]
    code = compile(ast.fix_missing_locations(ast.Module([outer], [])), function.__code__.co_filename, "exec")
    code = next(c for c in code.co_consts if isinstance(c, pytypes.CodeType))
    code = next(c for c in code.co_consts if isinstance(c, pytypes.CodeType) and c.co_name == function.__name__)
    return pytypes.FunctionType(code, function.__globals__, function.__name__, function.__defaults__, tuple(free[name] for name in code.co_freevars))


def _add_method(record, name, code, is_static):
    """Give a record a method, which takes what the function takes, names and defaults included."""
    signature = inspect.signature(code.py_func)
    names = list(signature.parameters)
    takes = ["me", *names] if is_static else names
    scope = {"code": code}
    exec(f"def call({', '.join(takes)}):\n    return code({', '.join(names)})", scope)
    call = scope["call"]
    call.__defaults__ = code.py_func.__defaults__

    def choose(*args, **kwargs):
        return call

    choose.__signature__ = inspect.signature(call)
    add_record_method(record, name, choose)


def _call_bare(state, market, notice):
    hook(state_at(state, 0), market_from(market))  # noqa: F821


def _call_with(state, market, notice):
    hook(state_at(state, 0), market_from(market), notice_from(notice))  # noqa: F821


# What the compiler says, in plain words.

_WORDS = (
    (r"Unknown attribute '(\w+)' of type Handle\((\w+)\)", lambda found: f"{found[2].lower()} has no {found[1]!r}" + _near(found[1]) * (found[2] == "Market")),
    (r"No definition for lowering Handle\((\w+)\)\.(\w+) = .*", lambda found: f"{found[1].lower()}.{found[2]} cannot be set"),
    (r"Unknown attribute '(\w+)' of type Record.*|'(\w+)'", lambda found: f"self has no field {found[1] or found[2]!r}"),
    (r"Cannot cast (.+) to (\w+): %.*", lambda found: f"{found[1]} does not fit into {found[2]}"),
    (r"\w+Error: (?!Failed in)(.+)", lambda found: found[1]),
)


def plain_words(error):
    """Return what an error says is wrong, in one line; of the compiler's long story the innermost reason, and where in the user's file it arose."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    known = [say(found) for line in lines for pattern, say in _WORDS if (found := re.fullmatch(pattern, line))]
    others = [line for line in lines if not line.startswith(("Failed in", "During:", "raised from", "- Resolution", "File ", "<source"))] or lines
    words = known[0] if known else " ".join(others[:2] if others[0].endswith(":") else others[:1])
    places = [(file, line) for file, line in re.findall(r" at (\S+\.py) \((\d+)\)", str(error)) if not file.startswith(str(PACKAGE))]
    return words[:400] + (f" ({places[0][0]}, line {places[0][1]})" if places else "")


def _near(word):
    return near(word, [name for name in dir(Market) if not name.startswith("_")])
