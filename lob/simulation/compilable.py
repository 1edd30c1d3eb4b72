"""Compilable: whether the body of an agent can become native code, told from its source, in plain words and without compiling anything.

Owns what native code cannot hold, what `self` and `market` have, and where in the user's file each stands. A class whose source is not to be had is left
to the compiler.
"""
import ast
import builtins
import difflib
import inspect
import linecache
from functools import lru_cache

from lob.errors import AgentError
from lob.simulation.fields import Array

REFUSED_NODES = {
    ast.Try: "native code cannot catch errors: ask before you do what may fail",
    getattr(ast, "TryStar", ast.Try): "native code cannot catch errors: ask before you do what may fail",
    ast.With: "native code has no `with`",
    ast.AsyncFor: "native code has no `async`", ast.AsyncWith: "native code has no `async`", ast.AsyncFunctionDef: "native code has no `async`",
    ast.Await: "native code has no `await`",
    ast.Yield: "native code has no generators", ast.YieldFrom: "native code has no generators", ast.GeneratorExp: "native code has no generators: write a loop",
    ast.JoinedStr: "native code makes no text: an f-string cannot be compiled",
    ast.Dict: "native code has no dict: keep numbers in fields, many of them in an Array", ast.DictComp: "native code has no dict: keep numbers in an Array",
    ast.Set: "native code has no set", ast.SetComp: "native code has no set",
    ast.Import: "import at the top of the file", ast.ImportFrom: "import at the top of the file",
    ast.ClassDef: "a class inside a method cannot be compiled", ast.Global: "native code cannot change a module's names",
    ast.Delete: "native code has no `del`",
    ast.Nonlocal: "native code cannot change a name of an outer function",
}
REFUSED_CALLS = {
    "open", "input", "eval", "exec", "compile", "globals", "locals", "vars", "dir", "setattr", "delattr", "format", "repr", "id", "hash", "iter", "next",
    "callable", "classmethod", "issubclass", "memoryview", "object", "breakpoint",
}
REFUSED_GLOBALS = {list: "a list", dict: "a dict", set: "a set", bytearray: "a bytearray"}


@lru_cache(maxsize=64)
def _definitions(source):
    """Return {(name, first line): node} of every function in a source, the line being that of its first decorator."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found[node.name, min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])] = node
    return found


def definition_of(function):
    """Return the syntax tree of a function with the line numbers of its file, None where the source is not to be had."""
    code = function.__code__
    linecache.checkcache(code.co_filename)
    try:
        return _definitions("".join(linecache.getlines(code.co_filename))).get((code.co_name, code.co_firstlineno))
    except SyntaxError:  # The file has been edited since.
        return None


@lru_cache(maxsize=512)
def nodes_of(function):
    """Return every node of the syntax tree of a function, the definition itself first; empty where the source is not to be had."""
    node = definition_of(function)
    return tuple(ast.walk(node)) if node is not None else ()


class Body:
    """What the native body of an agent class may name: its fields, its methods {name: function} and its constants, and the faces of what its hooks are given.

    faces: {"market": class, "notice": class, "trade": class}, whose public names are all that there is. hooks: {hook: names of its parameters}.
    """

    def __init__(self, cls, fields, methods, constants, faces, hooks):
        self.cls, self.fields, self.methods, self.constants, self.faces, self.hooks = cls, fields, methods, constants, faces, hooks

    def check(self, function):
        """Raise AgentError at the first thing in a function of the class that native code cannot hold."""
        if nodes := nodes_of(function):
            node, reader = nodes[0], _Reader(self, function, nodes)
            reader.visit(node)
            if round_trip := self._round_trip([function.__name__]):
                reader.refuse(node, f"it calls itself ({' -> '.join(round_trip)}), and native code of an agent cannot: write a loop")

    def _round_trip(self, path):
        """Return the methods on the way from the first of a path back to itself, None if none leads there."""
        for called in own_calls(self.methods[path[-1]]) if path[-1] in self.methods else ():
            if called == path[0]:
                return [*path, called]
            if called not in path and (found := self._round_trip([*path, called])):
                return found
        return None

    def has(self, name):
        """Return whether `self` has something of this name."""
        return name in self.fields or name in self.methods or name in self.constants


class _Reader(ast.NodeVisitor):
    """Reads one function."""

    def __init__(self, body, function, nodes):
        self.body, self.function, self.nodes, self.node = body, function, nodes, nodes[0]
        self.faces = self._faces([argument.arg for argument in self.node.args.args])
        self.faces |= self._other_markets()
        self.locals = {part.arg for part in nodes if isinstance(part, ast.arg)}
        self.locals |= {part.id for part in nodes if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}

    def _faces(self, parameters):
        """Return {name: class} of the parameters whose faces are known; the first of a method is the agent."""
        self.me = parameters[0] if parameters and self.function.__name__ in self.body.methods else None
        market, faces = self.body.faces["market"], self.body.faces
        if self.function.__name__ in self.body.hooks:
            second = "trade" if self.function.__name__ == "on_trade" else "notice"
            return dict(zip(parameters[1:], (market, faces[second]), strict=False))
        return {"market": market} if "market" in parameters else {}

    def _other_markets(self):
        """Return {name: class} of what is only ever set to `market.at(...)`."""
        found, others = set(), set()
        for part in self.nodes:
            if isinstance(part, ast.Assign) and len(part.targets) == 1 and isinstance(part.targets[0], ast.Name) and self._face_of(part.value):
                found.add(part.targets[0])
            elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                others.add(part)
        names = {name.id for name in found} - {name.id for name in others - found}
        return dict.fromkeys(names, self.body.faces["market"])

    def _face_of(self, node):
        """Return the class of the face that an expression is, None if it is none that is known."""
        if isinstance(node, ast.Name):
            return self.faces.get(node.id)
        market = self.body.faces["market"]
        is_at = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "at"
        return market if is_at and self._face_of(node.func.value) is market else None

    def refuse(self, node, reason):
        place = f"{self.body.cls.__name__}.{self.function.__name__}"
        raise AgentError(f"{place} cannot be compiled: {reason} ({self.function.__code__.co_filename}, line {getattr(node, 'lineno', self.node.lineno)})")

    def generic_visit(self, node):
        if reason := REFUSED_NODES.get(type(node)):
            self.refuse(node, reason)
        super().generic_visit(node)

    def visit_FunctionDef(self, node):
        # Annotations and decorators are no part of what runs.
        for statement in node.body:
            self.visit(statement)

    def visit_AnnAssign(self, node):
        for part in (node.target, node.value):
            if part is not None:
                self.visit(part)

    def visit_Attribute(self, node):
        name = node.value.id if isinstance(node.value, ast.Name) else None
        if name is not None and name == self.me:
            self._own(node)
        elif (face := self._face_of(node.value)) is not None:
            self._of_face(node, face)
        self.generic_visit(node)

    def _own(self, node):
        body = self.body
        if not body.has(node.attr):
            self.refuse(node, f"self has no field {node.attr!r}" + near(node.attr, [*body.fields, *body.methods, *body.constants]))
        if isinstance(node.ctx, ast.Store):
            if node.attr not in body.fields:
                self.refuse(node, f"self.{node.attr} cannot be set: annotate it in the class, as in `{node.attr}: int = 0`, to make it a field")
            if isinstance(body.fields[node.attr], Array):
                self.refuse(node, f"self.{node.attr} is an array: set its elements, as in self.{node.attr}[:] = ...")

    def _of_face(self, node, face):
        names = [known for known in dir(face) if not known.startswith("_")]
        if node.attr not in names:
            self.refuse(node, f"{face.__name__.lower()} has no {node.attr!r}" + near(node.attr, names))
        if not isinstance(node.ctx, ast.Load):
            self.refuse(node, f"{face.__name__.lower()}.{node.attr} cannot be set")

    def visit_Call(self, node):
        if any(keyword.arg is None for keyword in node.keywords):
            self.refuse(node, "native code cannot call with **")
        called = node.func
        if isinstance(called, ast.Name) and called.id in REFUSED_CALLS and called.id not in self.locals and called.id not in self.function.__globals__:
            self.refuse(node, f"native code has no {called.id}()")
        if isinstance(called, ast.Attribute):
            self._arguments(node, called)
        if is_super(called):
            self.visit(called.value.args[0]) if called.value.args else None
            for part in (*node.args, *(keyword.value for keyword in node.keywords)):
                self.visit(part)
            return
        self.generic_visit(node)

    def _arguments(self, node, called):
        """Check a call of a method of the market or of the agent against its signature."""
        name = called.value.id if isinstance(called.value, ast.Name) else "market"
        owner = self.body.cls if name == self.me else self._face_of(called.value)
        method = inspect.getattr_static(owner, called.attr, None) if owner else None
        if not inspect.isfunction(method) or any(isinstance(argument, ast.Starred) for argument in node.args):
            return
        try:
            inspect.signature(method).bind(None, *node.args, **{keyword.arg: keyword.value for keyword in node.keywords})
        except TypeError as error:
            self.refuse(node, f"{name}.{called.attr}: {error}; it takes {inspect.signature(method)}")

    def visit_Name(self, node):
        if node.id == "super":
            self.refuse(node, "super() can only be used to call a method: super().method(...)")
        if node.id in self.locals or not isinstance(node.ctx, ast.Load) or node.id not in self.function.__globals__:
            return
        value = self.function.__globals__[node.id]
        for kind, word in REFUSED_GLOBALS.items():
            if isinstance(value, kind):
                self.refuse(node, f"{node.id} is {word} of the module, which may change: native code reads numbers, tuples and numpy arrays")


def is_super(node):
    """Return whether a node is `super().method`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id == "super"


@lru_cache(maxsize=512)
def super_calls(function):
    """Return the names of the methods that a function calls by super()."""
    return sorted({node.attr for node in nodes_of(function) if is_super(node)})


@lru_cache(maxsize=512)
def own_calls(function):
    """Return the names of the methods that a method calls on the agent itself."""
    nodes = nodes_of(function)
    if not nodes or not nodes[0].args.args:
        return []
    me = nodes[0].args.args[0].arg
    called = (node.func for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    return sorted({part.attr for part in called if isinstance(part.value, ast.Name) and part.value.id == me})


def near(word, words):
    """Return the hint that names the word that was probably meant, empty if none is near."""
    found = difflib.get_close_matches(word, words, 1)
    return f": did you mean {found[0]!r}?" if found else ""


assert all(hasattr(builtins, name) for name in REFUSED_CALLS)
