"""Parts: native code that becomes machine code only within a whole, and the faces that such code has in an agent.

Owns how the functions of an agent come together. The compiler by itself optimises each function and makes machine code of it, and does so again wherever it
is called from: twenty small methods behind five hooks are compiled a hundred times. A part is translated only. A whole takes in each of its parts
once, is optimised and made machine code of once, and may have several entries: the hooks of an agent are one whole. What is large and the same for all wholes
is not taken in but called where it is, through a door. Here are also the attributes and methods that a handle or a Record has in native code, since these are
parts too. Knows no market.
"""
import ctypes
import inspect
from types import FunctionType

import numpy as np
from llvmlite import binding as llvm
from llvmlite import ir
from numba import _dynfunc, from_dtype, types
from numba.core import cgutils
from numba.core import ir as numba_ir
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.datamodel import models
from numba.core.datamodel.registry import register_default
from numba.core.environment import lookup_environment
from numba.core.errors import TypingError
from numba.core.typed_passes import AnnotateTypes, IRLegalization, NativeLowering, NoPythonBackend, NoPythonSupportedFeatureValidation
from numba.core.typing.templates import AttributeTemplate, ConcreteTemplate, infer_getattr, infer_global
from numba.extending import intrinsic, lower_builtin, lower_getattr_generic, overload, overload_attribute, overload_method

from lob.jit import jit

# As the code of what has none: it calls the object that a compiled function is bound to, which cannot be called, and so raises TypeError.
_REFUSES = ctypes.cast(ctypes.pythonapi.PyObject_Call, ctypes.c_void_p).value


class _PartLibrary(JITCodeLibrary):
    """Translated functions that are neither optimised nor run by themselves."""

    def _optimize_functions(self, ll_module):
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self):
        self._raise_if_finalized()
        for function in self._final_module.functions:
            # As numba does for what is linked more than once: several copies are one, and those that nobody calls any more can go.
            if not function.is_declaration and function.linkage.name == "external":
                function.linkage = "linkonce_odr"
        self._shared_module, self._finalized = self._final_module, True

    def parts(self):
        """Return the libraries that this one calls."""
        return self._linking_libraries


class _OuterLibrary(JITCodeLibrary):
    """A function that Python or the kernel calls, and no other native code takes in."""

    def _get_module_for_linking(self):
        raise AssertionError(f"{self.name} is not to be called by native code")

    def serialize_using_object_code(self):
        # Of its code only the names that are asked for are kept beside the machine code: that much less is read at each start.
        names = [f.name for f in self._final_module.functions if not f.is_declaration and f.linkage.name == "external"]
        stubs = [f'define void @"{name}"() {{ call void @llvm.trap() unreachable }}' for name in names]
        return self.name, "object", (self._get_compiled_object(), llvm.parse_assembly("\n".join(["declare void @llvm.trap()", *stubs])).as_bitcode())


class _WholeLibrary(_OuterLibrary):
    """A function and its parts, and theirs, each taken in once."""

    def _optimize_functions(self, ll_module):
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self):
        left, found = list(self._linking_libraries), {}
        while left:
            library = left.pop()
            if library not in found:
                found[library] = True
                left += library.parts() if isinstance(library, _PartLibrary) else []
        self._linking_libraries = list(found)
        super().finalize()

    def _optimize_final_module(self):
        for function in self._final_module.functions:
            # What came from a part is this whole's own, and the optimiser may do with it as it likes. Private, so that it has no name in the machine code:
            # by name it would be taken for the function of that name in any other library.
            if function.linkage.name == "linkonce_odr":
                function.linkage = "private"
        # Once is enough: numba's first, cheaper round is for reference counts, which an agent has none of.
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)

    def bind_environments(self):
        """Give the parts what an error with arguments is made from, as numba gives it to each function that it runs."""
        for variable in self._final_module.global_variables:
            environment = lookup_environment(variable.name)
            if environment is not None:
                self._codegen.set_env(variable.name, environment)


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):
    _name = "part_lowering"

    def run_pass(self, state):
        flags = state.flags
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        super().run_pass(state)
        lowered = state["cr"]
        # numba knows a compiled function by what Python calls, and this has to be there though a part has no code of its own.
        key = _dynfunc.make_function(lowered.fndesc.lookup_module(), lowered.fndesc.qualname, "", _REFUSES, lowered.env, (state.library,))
        state.targetctx.insert_user_function(key, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=key)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _OuterLowering(NativeLowering):
    _name, _library_class = "outer_lowering", _OuterLibrary

    def run_pass(self, state):
        state.flags.no_cfunc_wrapper = True
        state.library = self._library_class(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return super().run_pass(state)


@register_pass(mutates_CFG=True, analysis_only=False)
class _WholeLowering(_OuterLowering):
    _name, _library_class = "whole_lowering", _WholeLibrary

    def run_pass(self, state):
        super().run_pass(state)
        state.library.bind_environments()
        return True


def _pipeline(lowering):
    """Return the compiler's usual pipeline with another end."""
    class Pipeline(CompilerBase):
        def define_pipelines(self):
            pipeline = PassManager("nopython")
            for front in (DefaultPassBuilder.define_untyped_pipeline(self.state), DefaultPassBuilder.define_typed_pipeline(self.state)):
                pipeline.passes.extend(front.passes)
            for step in (NoPythonSupportedFeatureValidation, IRLegalization, AnnotateTypes, lowering, NoPythonBackend):
                pipeline.add_pass(step, step.__name__)
            pipeline.finalize()
            return [pipeline]

    return Pipeline


_PART, _OUTER, _WHOLE = _pipeline(_PartLowering), _pipeline(_OuterLowering), _pipeline(_WholeLowering)
_AS_PART = {"pipeline_class": _PART}


def part(function, bounds=False):
    """Return `function` as native code to be called from parts and wholes; from Python it raises TypeError. bounds: as in `jit`."""
    return jit(function, keep=False, bounds=bounds, pipeline=_PART)


def outer(function):
    """Return `function` as native code that only Python calls: what `jit` returns, but quicker to read from disk, since it carries nothing to link."""
    return jit(function, pipeline=_OUTER)


def whole(function, signature, keep=True):
    """Return `function` as native code for a signature, with all its parts in it. keep: as in `jit`."""
    return jit(function, signature, keep=keep, pipeline=_WHOLE)


def compiled_together(entries, attributes, keep=True):
    """Return one whole of several functions, and the addresses of their machine code; what they share is in it once.

    entries: [(a part or function of `jit`, signature)]. attributes: of the whole's own function, as `jit` reads them. The addresses hold as long as the whole.
    """
    # Names in a dictionary instead of a closure: numba keeps code on disk by the contents of the closure, and these differ in each process.
    function = FunctionType(_write.__code__, {"write_addresses": _address_writer(entries)}, "together")
    for name, value in attributes.items():
        setattr(function, name, value)
    together, addresses = whole(function, types.void(types.int64), keep), np.zeros(len(entries), np.int64)
    together(addresses.ctypes.data)
    return together, addresses


def _write(address):
    write_addresses(address)  # noqa: F821


def _address_writer(entries):
    """Return `write(address)`, which in native code writes the addresses of functions from an address on."""
    @intrinsic
    def write(typing_context, address):
        for function, signature in entries:
            function.compile(signature)

        def codegen(context, builder, signature_of_write, args):
            word = ir.IntType(64)
            cells = builder.inttoptr(args[0], word.as_pointer())
            for i, (function, signature) in enumerate(entries):
                compiled = function.get_compile_result(signature)
                context.add_linking_libs([compiled.library])
                native = context.declare_function(builder.module, compiled.fndesc)
                builder.store(builder.ptrtoint(native, word), builder.gep(cells, [word(i)]))
            return context.get_dummy_value()

        return types.void(types.int64), codegen

    return write


class Doors:
    """Functions of `jit` that parts call without taking them in: compiled once for all, together, they stay where they are.

    For what is large: each whole that took it in would optimise it anew. Before a whole that calls them runs, or is read from disk, they must be open.
    name: a word that no other Doors have. keep: as in `jit`.
    """

    def __init__(self, name, keep=True):
        self.name, self.keep, self.entries, self.together = name, keep, {}, None

    def add(self, function, *signatures):
        """Return what parts call a function by; arguments are cast to those of the signature that they fit best."""
        def call(*arguments):
            raise TypeError(f"{function.__name__}: only native code comes through this door")

        class Template(ConcreteTemplate):
            key, cases = call, list(signatures)

        assert self.together is None, "one more door when they are open already"
        infer_global(call, types.Function(Template))
        for i, signature in enumerate(signatures):
            symbol = f"lob.{self.name}.{function.__name__}.{i}"
            self.entries[symbol] = (function, signature)
            lower_builtin(call, *signature.args)(_caller(symbol))
        return call

    def open(self):
        """Have the functions compiled, or read from disk, once in a process, and say by name where they are."""
        if self.together is None:
            attributes = {"__module__": __name__, "__qualname__": f"doors.{self.name}"}
            self.together, addresses = compiled_together(list(self.entries.values()), attributes, self.keep)
            for symbol, address in zip(self.entries, addresses, strict=True):
                llvm.add_symbol(symbol, int(address))


def _caller(symbol):
    """Return how a call through a door becomes native code; an exception behind it propagates to the caller."""
    def codegen(context, builder, signature, args):
        convention, returned, taken = context.call_conv, signature.return_type, signature.args
        function = cgutils.get_or_insert_function(builder.module, convention.get_function_type(returned, taken), symbol)
        status, result = convention.call_function(builder, function, returned, taken, args)
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return result

    return codegen


class Handle(types.Type):
    """The type of an address with a public face: no field can be read or set but by an attribute or method made for it."""

    def __init__(self, name):
        super().__init__(name=f"Handle({name})")


@register_default(Handle)
class _HandleModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.IntType(64))


def handle_type(name):
    """Return a Handle type of a class of its own, and the two functions that turn an address into it and back."""
    kind = type(name, (Handle,), {})
    register_default(kind)(_HandleModel)
    handle = kind(name)

    @intrinsic
    def from_address(typing_context, address):
        return handle(types.int64), lambda context, builder, signature, args: args[0]

    @intrinsic
    def to_address(typing_context, value):
        return types.int64(handle), lambda context, builder, signature, args: args[0]

    return handle, from_address, to_address


def add_attribute(handle, name, reader):
    """Give a handle a read-only attribute: reader(handle) in native code."""
    overload_attribute(type(handle), name, jit_options=_AS_PART)(_same_signature(reader))


def add_fields(handle, dtype, names):
    """Give a handle, which is the address of a record of `dtype`, read-only attributes that are fields of it: a load each, with no function to compile."""
    record = from_dtype(dtype)

    class Fields(AttributeTemplate):
        key = type(handle)

        def generic_resolve(self, value, name):
            return record.typeof(name) if name in names else None

    infer_getattr(Fields)

    @lower_getattr_generic(type(handle))
    def read(context, builder, kind, value, name):
        return context.get_getattr(record, name)(context, builder, record, builder.inttoptr(value, context.get_value_type(record)), name)


def add_method(handle, name, implementation, whole=(), numbers=(), general=None, rare=()):
    """Give a handle a method: implementation(handle, ...) in native code, with its own names and defaults.

    whole: names of parameters that must be whole numbers, or None where that is the default; numbers: of those that may be floats too; with anything else
    the caller does not compile. general: the implementation for calls that name one of the `rare` parameters, so that other calls do not pay for these.
    """
    overload_method(type(handle), name, jit_options=_AS_PART)(_same_signature(implementation, whole, numbers, general, rare))


def _same_signature(implementation, whole=(), numbers=(), general=None, rare=()):
    # numba asks that the typing function takes what the implementation takes, defaults included.
    signature = inspect.signature(implementation)

    def choose(*args, **kwargs):
        given = signature.bind(*args, **kwargs).arguments
        for name, kind in given.items():
            if isinstance(kind, types.Optional):
                kind = kind.type
            accepted = (int, types.Integer, types.Boolean, types.IntEnumMember, types.Omitted)
            if name in whole and not isinstance(kind, accepted) and not (kind is types.none and signature.parameters[name].default is None):
                raise TypingError(f"{name} must be a whole number, was {kind}")
            if name in numbers and not isinstance(kind, (*accepted, types.Float)):
                raise TypingError(f"{name} must be a number, was {kind}")
        named = {name for name, kind in given.items() if not isinstance(kind, types.Omitted)}
        return implementation if named.isdisjoint(rare) else general

    choose.__signature__ = signature
    return choose


def overload_in_parts(function):
    """Return the decorator of what gives the implementation of `function` in parts and wholes for arguments of these types."""
    return overload(function, jit_options=_AS_PART)


def add_record_method(record, name, choose):
    """Give a Record type a method; choose(self, ...) returns what implements it for arguments of these types."""
    overload_method(type(record), name, jit_options=_AS_PART)(choose)


def add_constant(record, name, value):
    """Give a Record type a read-only attribute that is a constant of native code."""
    overload_attribute(type(record), name, jit_options=_AS_PART)(lambda me: lambda me: value)


def add_property(record, name, code):
    """Give a Record type a read-only attribute that native code works out."""
    overload_attribute(type(record), name, jit_options=_AS_PART)(lambda me: lambda me: code(me))


def field_writes(dispatcher, record):
    """Return [(field, "int" | "float" | "bool" | another type's name, line)] of what a dispatcher's code writes to fields of a Record type.

    Empty for code that was not compiled in this process.
    """
    found, words = [], ((types.Boolean, "bool"), (types.Integer, "int"), (types.Float, "float"))
    for typed in [compiled.type_annotation for compiled in dispatcher.overloads.values()]:
        for write in [i for block in getattr(typed, "blocks", {}).values() for i in block.body if isinstance(i, numba_ir.SetAttr)]:
            kind = typed.typemap[write.value.name]
            word = next((word for of, word in words if isinstance(kind, of)), str(kind))
            found += [(write.attr, word, write.loc.line)] if typed.typemap[write.target.name] == record else []
    return found
