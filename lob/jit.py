"""Native code: with `parts`, all that touches numba.

Owns the decorator, its cache, and the few intrinsics that make a structure of plain memory out of numpy records: a Record is one bare
pointer without a reference count, so it passes through small functions for nothing. Knows no market.

The cache is keyed by a hash of every source file of this package (and, for an agent, of the files its module imports from), because
numba by itself serves stale code when a callee in another file has changed (numba issue 9483).

Raw pointers have no bounds. With LOB_DEBUG=1 (DEBUG) whoever owns a pool asserts an index against its capacity; `at` cannot, since it knows none.
"""
import ast
import hashlib
import importlib
import os
import platform
import sys
import sysconfig
import tempfile
from contextlib import suppress
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator
from numba.core.datamodel import models
from numba.core.datamodel.registry import register_default
from numba.core.errors import NumbaError as CompilerError  # noqa: F401
from numba.core.errors import TypingError  # noqa: F401
from numba.extending import intrinsic, overload, overload_method  # noqa: F401
from numba.np import linalg
from platformdirs import user_cache_dir

DEBUG = os.environ.get("LOB_DEBUG", "0") not in ("", "0")
STANDARD_LIBRARY = sysconfig.get_path("stdlib")
PACKAGE = Path(__file__).resolve().parent
HOOK = types.void(types.int64, types.int64, types.int64)


def _defer_blas():
    """Have numba import scipy.linalg for code that calls it, as np.dot does, and no more at the first call of anything: a tenth of a process's start.

    Whether BLAS is there is asked when arraymath is imported, by importing it. scipy is one of our dependencies: it is there, and each user of it asks again.
    """
    if "numba.np.arraymath" not in sys.modules:
        asks = linalg.ensure_blas
        linalg.ensure_blas = lambda: None
        try:
            importlib.import_module("numba.np.arraymath").ensure_blas = asks
        finally:
            linalg.ensure_blas = asks


_defer_blas()


def _hash_files(paths):
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        digest.update(str(path.name).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def source_hash():
    """Return the hash of every source file of the package: what the native code and a tape were made by."""
    return _hash_files(sorted(PACKAGE.rglob("*.py")))


def _imported_names(source, package):
    """Return the dotted names that a source may import: of `from a import b` both a and a.b."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            names += [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
    return names


def _imported_files(module):
    """Return the source files of `module`, of the modules it imports, of those they import and so on; libraries and this package excepted."""
    files, names = set(), [module.__name__]
    while names:
        name = names.pop()
        found = sys.modules.get(name)
        file = getattr(found, "__file__", None) or ""
        top = name.partition(".")[0]
        is_library = top == "lob" or (top != module.__name__.partition(".")[0] and ("site-packages" in file or file.startswith(STANDARD_LIBRARY)))
        if file.endswith(".py") and not is_library and Path(file) not in files:
            files.add(Path(file))
            names += _imported_names(Path(file).read_text(encoding="utf-8"), found.__package__)
    return sorted(files)


def module_stamp(module):
    """Return the hash of what native code made from a module depends on; None if it has no file to hash, and must not be kept."""
    if not getattr(module, "__file__", None):
        return None
    return f"{source_hash()}-{DEBUG}-{_hash_files(_imported_files(module))}"


def cache_directory():
    """Return where compiled code is kept: LOB_CACHE_DIR, or the user's cache folder."""
    return Path(os.environ.get("LOB_CACHE_DIR") or user_cache_dir("queuerace"))


@cache
def _place(file):
    """Return the name of the folder of a source file; of this package's own as seen from it: two copies of the same package share their compiled code."""
    folder = Path(file).resolve().parent
    seen = folder.relative_to(PACKAGE) if folder.is_relative_to(PACKAGE) else folder
    return hashlib.blake2b(str(seen).encode(), digest_size=6).hexdigest()


@cache
def _can_be_written(folder):
    """Return whether a file can be made in a folder, which is made too; asked once, and not for each of a file's functions."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


class _SourceHashedLocator(_CacheLocator):
    def __init__(self, function, file):
        # A folder for each state of the sources: an index that names a class which is there no more could not even be read.
        self.path = os.path.join(cache_directory(), source_hash()[:12], _place(file))
        self.stamp = getattr(function, "__stamp__", None) or f"{source_hash()}-{DEBUG}"
        self.line = function.__code__.co_firstlineno

    def get_cache_path(self):
        return self.path

    def get_source_stamp(self):
        return self.stamp

    def get_disambiguator(self):
        return str(self.line)

    @classmethod
    def from_function(cls, function, file):
        locator = cls(function, file)
        return locator if _can_be_written(locator.path) else None


class _CacheImpl(CompileResultCacheImpl):
    _locator_classes = [_SourceHashedLocator]


class _CacheFile(IndexDataCacheFile):
    """Code on disk that says itself of which sources and for what it is.

    The index is written first and names files by number: where a process ended, or the disk was full, before the code was written too, or another process
    wrote it meanwhile, the index would be of the sources as they are and the code of those of before.
    """

    def save(self, key, data):
        super().save(key, (self._source_stamp, key, data))

    def load(self, key):
        found = super().load(key)
        return found[2] if found is not None and found[:2] == (self._source_stamp, key) else None


class _Cache(FunctionCache):
    _impl_class = _CacheImpl

    def __init__(self, function):
        super().__init__(function)
        self._cache_file = _CacheFile(self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp())

    def load_overload(self, sig, target_context):
        found = super().load_overload(sig, target_context)
        if found is None and not hasattr(self._py_func, "__stamp__"):
            _announce()
        return found

    def save_overload(self, sig, data):
        getattr(self._py_func, "__check__", lambda: None)()
        with suppress(OSError):  # On a full disk the code is compiled anew in each process.
            super().save_overload(sig, data)


@cache
def _announce():
    print(f"lob: compiling for this machine, which takes up to a minute and happens once (kept in {cache_directory()})", file=sys.stderr)


def jit(function=None, signature=None, inline=False, keep=True, bounds=False, pipeline=None):
    """Return `function` as native code, compiled at its first call (or now, with a signature) and kept on disk.

    inline: put the code into its callers; for the small functions of a hot path, where a call costs as much as the work.
    keep: whether the code is kept on disk; a function's attribute __stamp__ tells when it is stale, by default the hash of this package;
    its attribute __check__ is called before that, and what it raises keeps the code from being kept.
    bounds: whether an index beyond an array raises IndexError, as in Python. pipeline: the compiler's, if not its usual one (`parts`).
    """
    if function is None:
        return lambda f: jit(f, signature, inline, keep, bounds, pipeline)
    dispatcher = numba.njit(function, forceinline=inline, boundscheck=bounds, pipeline_class=pipeline)
    try:
        if keep:
            dispatcher._cache = _Cache(function)
    except RuntimeError:
        pass  # No folder can be written: the code is compiled anew in each process.
    if signature is not None:
        dispatcher.compile(signature)
        dispatcher.disable_compile()
    return dispatcher


def record_subtype(dtype, name):
    """Return the type of a Record of `dtype` as a class of its own below types.Record, so that it can have methods of its own."""
    plain = numba.from_dtype(dtype)
    kind = type(name, (types.Record,), {})
    register_default(kind)(models.RecordModel)
    fields = [(field, {"type": of.type, "offset": of.offset, "alignment": of.alignment, "title": of.title}) for field, of in plain.fields.items()]
    return kind(fields, plain.size, plain.aligned)


def pool_reader(record):
    """Return `at(address, i)`, which gives the Record at address + i x size; its fields read and write in place.

    record: a record dtype, or what `record_subtype` made of one.
    """
    record = record if isinstance(record, types.Type) else numba.from_dtype(record)
    size = record.size

    @intrinsic
    def at(typing_context, address, i):
        def codegen(context, builder, signature, args):
            offset = builder.mul(args[1], ir.Constant(ir.IntType(64), size))
            return builder.inttoptr(builder.add(args[0], offset), context.get_value_type(record))

        return record(types.int64, types.int64), codegen

    return at


def row_starter(from_dtype, to_dtype):
    """Return `start(source, to)`, which copies the fields that both records begin with (same names, same places) and makes all others zero.

    As two blocks of bytes, which become a few wide stores; field by field the compiler leaves a store for nearly each of them.
    """
    shared = 0
    for name in from_dtype.names:
        if from_dtype.fields[name] != to_dtype.fields.get(name):
            break
        shared = from_dtype.fields[name][1] + from_dtype[name].itemsize

    @intrinsic
    def start(typing_context, source, to):
        def codegen(context, builder, signature, args):
            number = ir.IntType(64)
            cgutils.raw_memcpy(builder, args[1], args[0], number(shared), 1)
            rest = builder.gep(builder.bitcast(args[1], ir.IntType(8).as_pointer()), [number(shared)])
            cgutils.memset(builder, rest, number(to_dtype.itemsize - shared), 0)
            return context.get_dummy_value()

        return types.void(source, to), codegen

    return start


@intrinsic
def prefetch(typing_context, address):
    """Ask for the cache line at an address, which may be any number; a hint, so nothing depends on it."""
    def codegen(context, builder, signature, args):
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        hint = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, hint, "llvm.prefetch.p0i8")
        builder.call(function, [builder.inttoptr(args[0], pointer), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def address_of(typing_context, record):
    """Return the address of a Record."""
    def codegen(context, builder, signature, args):
        return builder.ptrtoint(args[0], ir.IntType(64))

    return types.int64(record), codegen


@intrinsic
def store_word(typing_context, address, word):
    """Write the eight bytes of a word, lowest first, at any address."""
    def codegen(context, builder, signature, args):
        builder.store(args[1], builder.inttoptr(args[0], ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def leading_zeros(typing_context, word):
    """Return the number of zero bits above the highest set bit; undefined for zero."""
    def codegen(context, builder, signature, args):
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


@intrinsic
def bit_count(typing_context, word):
    """Return the number of set bits."""
    def codegen(context, builder, signature, args):
        return builder.ctpop(args[0])

    return types.int64(types.int64), codegen


@intrinsic
def trailing_zeros(typing_context, word):
    """Return the number of zero bits below the lowest set bit; undefined for zero."""
    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


@intrinsic
def call_at(typing_context, function_address, a, b, c):
    """Call the compiled HOOK at an address; an exception inside it propagates to the caller."""
    def codegen(context, builder, signature, args):
        llvm_type = context.call_conv.get_function_type(HOOK.return_type, HOOK.args).as_pointer()
        pointer = builder.inttoptr(args[0], llvm_type)
        status, _ = context.call_conv.call_function(builder, pointer, HOOK.return_type, HOOK.args, args[1:])
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), codegen


def entry_point(dispatcher):
    """Return the address of a function compiled for HOOK, to be called by `call_at`."""
    compiled = dispatcher.get_compile_result(HOOK)
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


@intrinsic
def cycle_count(typing_context):
    """Return the processor's clock, which grows at a steady rate: the time stamp counter of x86, the generic timer elsewhere."""
    def codegen(context, builder, signature, args):
        name = "llvm.readcyclecounter" if platform.machine() in ("x86_64", "AMD64") else "llvm.readsteadycounter"
        return builder.call(cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.IntType(64), []), name), [])

    return types.int64(), codegen
