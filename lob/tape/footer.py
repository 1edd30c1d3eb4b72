"""The footer: what a Parquet file says of itself.

Owns its form, Thrift's compact protocol, for everything but the row groups, which `pages` writes. Source: Apache Parquet, parquet.thrift.
"""
import struct

from lob.messages import REPORT
from lob.tape.pages import BINARY, DELTA_BINARY_PACKED, I32, I64, INT32, INT64, LIST, PLAIN, RLE, RLE_DICTIONARY, STOP, STRUCT

MAGIC = b"PAR1"
VERSION, REQUIRED, UNCOMPRESSED = 2, 0, 0
# Parquet's ConvertedType of the numbers that its own two types do not tell.
CONVERTED = {"u1": 11, "u2": 12, "u4": 13, "i1": 15, "i2": 16}


def _varint(number):
    data = bytearray()
    while number >= 128:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes([*data, number])


def _field(step, kind, number=None):
    """Return a field whose number in its struct is `step` above the last one's: with a number its value, without one only its head."""
    return bytes([step << 4 | kind]) + (b"" if number is None else _varint(2 * number))


def _text(data):
    return _varint(len(data)) + data


def _list(kind, items):
    head = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([15 << 4 | kind]) + _varint(len(items))
    return head + b"".join(items)


def _type(name):
    return INT64 if REPORT[name].itemsize == 8 else INT32


def column_metadata(name):
    """Return what the ColumnMetaData of a REPORT field begins with: its type, encodings, path and codec."""
    encodings = [_varint(2 * encoding) for encoding in (PLAIN, RLE, RLE_DICTIONARY, DELTA_BINARY_PACKED)]
    return (
        _field(1, I32, _type(name)) + _field(1, LIST) + _list(I32, encodings) + _field(1, LIST) + _list(BINARY, [_text(name.encode())])
        + _field(1, I32, UNCOMPRESSED)
    )


def _schema():
    """Return the schema: a root, then one SchemaElement for each REPORT field."""
    elements = [_field(4, BINARY) + _text(b"schema") + _field(1, I32, len(REPORT.names)) + bytes([STOP])]
    for name in REPORT.names:
        element = _field(1, I32, _type(name)) + _field(2, I32, REQUIRED) + _field(1, BINARY) + _text(name.encode())
        converted = CONVERTED.get(REPORT[name].str[1:])
        elements.append(element + (b"" if converted is None else _field(2, I32, converted)) + bytes([STOP]))
    return _list(STRUCT, elements)


def before_groups(row_count, group_count):
    """Return what a footer has before its row groups."""
    groups = _varint(group_count) if group_count >= 15 else b""
    return (
        _field(1, I32, VERSION) + _field(1, LIST) + _schema() + _field(1, I64, row_count) + _field(1, LIST)
        + bytes([min(group_count, 15) << 4 | STRUCT]) + groups
    )


def whole(row_count, group_count, said_of_groups, key, value):
    """Return all that ends a file: the footer, in which are what `pages` says of the row groups and a pair of words, how long it is, and the format's mark."""
    pair = _field(1, BINARY) + _text(key) + _field(1, BINARY) + _text(value) + bytes([STOP])
    behind = _field(1, LIST) + _list(STRUCT, [pair]) + _field(1, BINARY) + _text(b"queuerace") + bytes([STOP])
    data = before_groups(row_count, group_count) + said_of_groups + behind
    return data + struct.pack("<i", len(data)) + MAGIC
